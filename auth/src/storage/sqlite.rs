//! An SQLite file: several connections read at once, and one writes.
//!
//! Readers see what is committed. Writes take turns, and those that wait are committed together
//! (`sqlite/writer.rs`).

mod readers;
mod session;
mod writer;

use std::{sync::Arc, time::Duration};

use sea_orm::{
    DatabaseConnection, DbErr, RuntimeErr, Statement,
    sqlx::{
        self, ConnectOptions,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
    },
};

use self::{readers::Readers, writer::Writer};
pub(super) use self::{session::Outcome, writer::Turn};

/// How long a statement waits for another process that writes, and a request for its turn.
const WAIT_TIMEOUT: Duration = Duration::from_secs(10);

/// An SQLite file.
#[derive(Debug)]
pub(super) struct Sqlite {
    readers: Readers,
    writer: Arc<Writer>,
    /// Changes the schema at start, and is idle afterwards. While it is open, SQLite keeps its shared
    /// memory and its log, so that another connection can be opened on a full disk.
    anchor: DatabaseConnection,
}

impl Sqlite {
    /// Opens the file that `url` names.
    pub(super) async fn open(url: &str, idle_timeout: Duration) -> Result<Self, DbErr> {
        let options: SqliteConnectOptions = url.parse().map_err(connect_error)?;
        let options = options
            // A file that vanishes later must not be replaced by an empty one.
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(WAIT_TIMEOUT)
            .disable_statement_logging();
        let anchor = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone());
        Ok(Self {
            anchor: anchor.await.map_err(connect_error)?.into(),
            readers: Readers::new(&options),
            writer: Arc::new(Writer::new(options, idle_timeout)),
        })
    }

    /// The connection for changes of the schema.
    pub(super) fn anchor(&self) -> &DatabaseConnection {
        &self.anchor
    }

    /// Runs a single statement: a query on a reader, anything else in its turn.
    pub(super) async fn run(&self, statement: Statement) -> Result<Outcome, DbErr> {
        if statement.sql.starts_with("SELECT") {
            self.readers.run(statement).await
        } else {
            self.writer.run(statement).await
        }
    }

    /// Begins a transaction, once it is its turn.
    pub(super) async fn begin(&self) -> Result<Turn, DbErr> {
        self.writer.begin().await
    }
}

/// Why connecting failed, as the ORM says it.
fn connect_error(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))
}

/// Why a statement failed, as the ORM says it.
fn query_error(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use futures::future::join_all;
    use sea_orm::DbBackend;
    use tempfile::TempDir;
    use tokio::task::{JoinHandle, yield_now};

    use super::*;

    const SCHEMA: &str = "CREATE TABLE rows (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES rows (id) \
        DEFERRABLE INITIALLY DEFERRED); \
        CREATE TRIGGER thirteen AFTER INSERT ON rows WHEN new.id = 13 \
        BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END";

    fn statement(sql: impl Into<String>) -> Statement {
        Statement::from_string(DbBackend::Sqlite, sql)
    }

    fn insert(id: i64) -> Statement {
        statement(format!("INSERT INTO rows (id) VALUES ({id})"))
    }

    async fn open(idle_timeout: Duration) -> (Arc<Sqlite>, TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("test.db");
        File::create(&file).unwrap();
        let url = format!("sqlite://{}", file.display());
        let sqlite = Sqlite::open(&url, idle_timeout).await.unwrap();
        sqlite.run(statement(SCHEMA)).await.unwrap();
        (Arc::new(sqlite), directory)
    }

    async fn rows(sqlite: &Sqlite) -> Vec<i64> {
        let found = sqlite.run(statement("SELECT id FROM rows ORDER BY id")).await.unwrap();
        found.rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    }

    /// A task that waits for its turn.
    async fn queue<T: Send + 'static>(
        sqlite: &Sqlite,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        let before = sqlite.writer.waiting();
        let task = tokio::spawn(work);
        while sqlite.writer.waiting() == before {
            yield_now().await;
        }
        task
    }

    /// A transaction that waits for its turn.
    async fn queue_turn(sqlite: &Arc<Sqlite>) -> JoinHandle<Turn> {
        let own = sqlite.clone();
        queue(sqlite, async move { own.begin().await.unwrap() }).await
    }

    #[tokio::test]
    async fn a_group_with_a_failing_member_commits_the_others_and_only_then_answers() {
        let (sqlite, _directory) = open(WAIT_TIMEOUT).await;
        let first = sqlite.begin().await.unwrap();
        first.run(insert(1)).await.unwrap();
        let second = queue_turn(&sqlite).await;
        let [third, fourth] = [3, 1].map(|id| {
            let own = sqlite.clone();
            async move { own.run(insert(id)).await }
        });
        let third = queue(&sqlite, third).await;
        let last = queue_turn(&sqlite).await;
        let first = tokio::spawn(first.commit());

        let second = second.await.unwrap();
        second.run(insert(2)).await.unwrap();
        assert!(second.run(insert(1)).await.is_err());
        drop(second);
        let last = last.await.unwrap();
        let fourth = queue(&sqlite, fourth).await;
        last.run(insert(5)).await.unwrap();
        assert!(!first.is_finished() && !third.is_finished());
        assert!(rows(&sqlite).await.is_empty());

        last.commit().await.unwrap();
        first.await.unwrap().unwrap();
        third.await.unwrap().unwrap();
        assert!(fourth.await.unwrap().is_err());
        assert_eq!(rows(&sqlite).await, [1, 3, 5]);
    }

    #[tokio::test]
    async fn when_a_group_is_lost_each_of_its_members_hears_so_and_the_next_succeeds() {
        let (sqlite, _directory) = open(WAIT_TIMEOUT).await;
        let orphan = "INSERT INTO rows VALUES (12, 99)";
        for lost in [statement(orphan), insert(13)] {
            let first = sqlite.begin().await.unwrap();
            first.run(insert(1)).await.unwrap();
            let second = queue_turn(&sqlite).await;
            let first = tokio::spawn(first.commit());
            let second = second.await.unwrap();
            if second.run(lost).await.is_ok() {
                assert!(second.commit().await.is_err());
            } else {
                drop(second);
            }
            assert!(first.await.unwrap().is_err());
            assert!(rows(&sqlite).await.is_empty());
        }
        let next = sqlite.begin().await.unwrap();
        next.run(insert(1)).await.unwrap();
        next.commit().await.unwrap();
        assert_eq!(rows(&sqlite).await, [1]);
    }

    #[tokio::test]
    async fn a_transaction_that_does_nothing_does_not_hold_its_group() {
        let (sqlite, _directory) = open(Duration::from_millis(500)).await;
        let first = sqlite.begin().await.unwrap();
        first.run(insert(1)).await.unwrap();
        let second = queue_turn(&sqlite).await;
        let first = tokio::spawn(first.commit());
        let second = second.await.unwrap();
        second.run(insert(2)).await.unwrap();
        first.await.unwrap().unwrap();
        assert!(second.run(insert(3)).await.is_err());
        assert!(second.commit().await.is_err());
        assert_eq!(rows(&sqlite).await, [1]);
    }

    #[tokio::test]
    async fn a_request_that_is_given_up_while_it_waits_holds_nothing() {
        let (sqlite, _directory) = open(WAIT_TIMEOUT).await;
        let first = sqlite.begin().await.unwrap();
        first.run(insert(1)).await.unwrap();
        let second = queue_turn(&sqlite).await;
        second.abort();
        first.commit().await.unwrap();
        drop(sqlite.begin().await.unwrap());
        sqlite.run(insert(2)).await.unwrap();
        assert_eq!(rows(&sqlite).await, [1, 2]);
    }

    #[tokio::test]
    async fn only_so_many_wait_for_their_turn() {
        let (sqlite, _directory) = open(WAIT_TIMEOUT).await;
        let first = sqlite.begin().await.unwrap();
        let waiting = join_all((0..1100).map(|id| sqlite.run(insert(1000 + id))));
        let (_, outcomes) = tokio::join!(
            async {
                while sqlite.writer.waiting() < 1024 {
                    yield_now().await;
                }
                first.commit().await.unwrap();
            },
            waiting
        );
        let refused = outcomes.iter().filter(|outcome| outcome.is_err()).count();
        assert!((1..=1100 - 1024).contains(&refused), "{refused}");
        assert_eq!(rows(&sqlite).await.len(), 1100 - refused);
    }

    #[tokio::test]
    async fn a_reader_cannot_write() {
        let (sqlite, _directory) = open(WAIT_TIMEOUT).await;
        assert!(sqlite.readers.run(insert(1)).await.is_err());
        assert!(rows(&sqlite).await.is_empty());
    }
}
