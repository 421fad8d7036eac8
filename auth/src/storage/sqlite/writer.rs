//! The connection that writes. Transactions take turns in the order in which they asked. One that ends
//! while others wait is not committed alone: the next one joins its group, and all of them are committed
//! at once, so that they share the cost of reaching the disk. Each succeeds or fails by itself, and none is
//! told that it succeeded before the commit of its group has.
//!
//! ```text
//! BEGIN IMMEDIATE · first · SAVEPOINT · second · RELEASE · SAVEPOINT · third · ROLLBACK TO · COMMIT
//! ```
//!
//! What a turn does is done by a task of its own, so that a request that is given up leaves nothing half
//! done: its turn ends with a rollback, and its group goes on.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sea_orm::{ConnAcquireErr, DbBackend, DbErr, Statement, sqlx::sqlite::SqliteConnectOptions};
use tokio::{
    sync::{Mutex, MutexGuard, OwnedMutexGuard, oneshot},
    time::timeout,
};

use super::{
    WAIT_TIMEOUT,
    session::{Outcome, Session},
};

/// Turns that one commit ends at most.
const MAX_GROUP: usize = 32;
/// Transactions that wait for their turn.
const MAX_WAITING: usize = 1024;

/// Where a transaction hears how the commit of its group went.
type Answer = oneshot::Sender<Result<(), DbErr>>;

#[derive(Debug)]
pub(super) struct Writer {
    /// Its lock is the turn.
    group: Arc<Mutex<Group>>,
    /// How many wait for the turn. Each of them is certain to take it.
    waiting: AtomicUsize,
    connection: Mutex<Connection>,
    idle_timeout: Duration,
}

/// The transactions that the next commit will commit.
#[derive(Debug, Default)]
struct Group {
    /// Turns since SQLite's transaction began; 0 while there is none.
    turns: usize,
    answers: Vec<Answer>,
}

#[derive(Debug)]
struct Connection {
    session: Session,
    /// The number of the turn whose statements are run.
    turn: u64,
    /// Statements so far.
    statements: u64,
}

/// The turn of one transaction. It is rolled back when this is dropped.
#[derive(Debug)]
pub(in crate::storage) struct Turn {
    writer: Arc<Writer>,
    number: u64,
    commit: oneshot::Sender<Answer>,
}

impl Turn {
    /// Runs a statement of the transaction.
    pub(in crate::storage) async fn run(&self, statement: Statement) -> Result<Outcome, DbErr> {
        let mut connection = self.writer.connection.lock().await;
        if connection.turn == self.number {
            connection.run(statement).await
        } else {
            Err(timed_out())
        }
    }

    /// Commits the transaction with its group.
    pub(in crate::storage) async fn commit(self) -> Result<(), DbErr> {
        let (answer, committed) = oneshot::channel();
        self.commit.send(answer).map_err(|_| timed_out())?;
        committed.await.map_err(|_| stopped())?
    }
}

impl Writer {
    pub(super) fn new(options: SqliteConnectOptions, idle_timeout: Duration) -> Self {
        let session = Session::new(options);
        Self {
            group: Arc::default(),
            waiting: AtomicUsize::new(0),
            connection: Mutex::new(Connection { session, turn: 0, statements: 0 }),
            idle_timeout,
        }
    }

    /// Runs a single statement. It needs no savepoint, because a statement that fails changes nothing.
    pub(super) async fn run(self: &Arc<Self>, statement: Statement) -> Result<Outcome, DbErr> {
        let writer = self.clone();
        let done = tokio::spawn(async move { writer.run_in_turn(statement).await });
        done.await.map_err(|_| stopped())?
    }

    async fn run_in_turn(self: Arc<Self>, statement: Statement) -> Result<Outcome, DbErr> {
        let mut group = self.take_turn().await?;
        let mut connection = self.connection.lock().await;
        if group.turns == 0 && self.waiting.load(Ordering::Acquire) == 0 {
            connection.session.open().await?;
            // SQLite commits it by itself.
            return connection.run(statement).await;
        }
        group.begin(&mut connection).await?;
        let outcome = connection.run(statement).await;
        if outcome.is_err() {
            // SQLite may have rolled back the whole group, which its commit reveals.
            commit(group, connection).await;
            return outcome;
        }
        let (answer, committed) = oneshot::channel();
        group.answers.push(answer);
        self.end_turn(group, connection).await;
        committed.await.map_err(|_| stopped())??;
        outcome
    }

    /// Begins a transaction, once it is its turn.
    pub(super) async fn begin(self: &Arc<Self>) -> Result<Turn, DbErr> {
        let (caller, turn) = oneshot::channel();
        tokio::spawn(self.clone().serve(caller));
        turn.await.map_err(|_| stopped())?
    }

    /// The turn of a transaction, from its begin to its end.
    async fn serve(self: Arc<Self>, caller: oneshot::Sender<Result<Turn, DbErr>>) {
        let mut group = match self.take_turn().await {
            Ok(group) => group,
            Err(error) => return drop(caller.send(Err(error))),
        };
        let mut connection = self.connection.lock().await;
        let is_first = group.turns == 0;
        let started = match group.begin(&mut connection).await {
            Ok(()) if !is_first => connection.say("SAVEPOINT turn").await,
            started => started,
        };
        if let Err(error) = started {
            drop(caller.send(Err(error)));
            if group.turns > 0 {
                commit(group, connection).await;
            }
            return;
        }
        connection.turn += 1;
        let (commit, end) = oneshot::channel();
        let turn = Turn { writer: self.clone(), number: connection.turn, commit };
        drop(connection);
        drop(caller.send(Ok(turn)));
        let answer = self.end_of_turn(end).await;
        let mut connection = self.connection.lock().await;
        connection.turn += 1;
        let ended = match (&answer, is_first) {
            (Some(_), true) => Ok(()),
            (Some(_), false) => connection.say("RELEASE turn").await,
            (None, true) => group.roll_back(&mut connection).await,
            (None, false) => connection.say("ROLLBACK TO turn").await,
        };
        group.answers.extend(answer);
        if ended.is_ok() {
            self.end_turn(group, connection).await;
        } else {
            // SQLite has rolled back the whole group.
            close(group, connection, ended);
        }
    }

    /// Waits until a transaction wants to be committed. `None` if it was given up, or does nothing.
    async fn end_of_turn(&self, mut end: oneshot::Receiver<Answer>) -> Option<Answer> {
        let mut statements = None;
        loop {
            if let Ok(answer) = timeout(self.idle_timeout, &mut end).await {
                return answer.ok();
            }
            // Else a statement is being run.
            if let Ok(connection) = self.connection.try_lock() {
                if statements == Some(connection.statements) {
                    tracing::warn!("rolled back a transaction that did nothing");
                    return None;
                }
                statements = Some(connection.statements);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }

    async fn take_turn(self: &Arc<Self>) -> Result<OwnedMutexGuard<Group>, DbErr> {
        if self.waiting.load(Ordering::Acquire) >= MAX_WAITING {
            return Err(too_late());
        }
        self.waiting.fetch_add(1, Ordering::AcqRel);
        let taken = timeout(WAIT_TIMEOUT, self.group.clone().lock_owned()).await;
        if taken.is_err() {
            // The one before may count on this one to commit its group.
            let writer = self.clone();
            tokio::spawn(async move {
                let group = writer.group.clone().lock_owned().await;
                writer.waiting.fetch_sub(1, Ordering::AcqRel);
                let connection = writer.connection.lock().await;
                writer.end_turn(group, connection).await;
            });
            return Err(too_late());
        }
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        taken.map_err(|_| too_late())
    }

    /// Leaves the group to the next one that waits, or commits it.
    async fn end_turn(
        &self,
        group: OwnedMutexGuard<Group>,
        connection: MutexGuard<'_, Connection>,
    ) {
        let is_awaited = self.waiting.load(Ordering::Acquire) > 0;
        if group.turns > 0 && !(is_awaited && group.turns < MAX_GROUP) {
            commit(group, connection).await;
        }
    }
}

/// Commits the group.
async fn commit(group: OwnedMutexGuard<Group>, mut connection: MutexGuard<'_, Connection>) {
    let committed = connection.say("COMMIT").await;
    close(group, connection, committed);
}

/// Tells each transaction of the group how its commit went. The next group begins meanwhile.
fn close(
    mut group: OwnedMutexGuard<Group>,
    mut connection: MutexGuard<'_, Connection>,
    committed: Result<(), DbErr>,
) {
    if committed.is_err() {
        tracing::warn!("closed a database connection that was left in a failed transaction");
        connection.session.close();
    }
    let Group { answers, .. } = mem::take(&mut *group);
    drop(connection);
    drop(group);
    for answer in answers {
        drop(answer.send(committed.clone()));
    }
}

impl Group {
    /// Begins SQLite's transaction, unless this group has one. It takes the write lock at once: a
    /// transaction that reads first and writes later would fail instead of waiting.
    async fn begin(&mut self, connection: &mut Connection) -> Result<(), DbErr> {
        if self.turns == 0 {
            connection.session.open().await?;
            if let Err(error) = connection.say("BEGIN IMMEDIATE").await {
                connection.session.close();
                return Err(error);
            }
        }
        self.turns += 1;
        Ok(())
    }

    /// Rolls back SQLite's transaction.
    async fn roll_back(&mut self, connection: &mut Connection) -> Result<(), DbErr> {
        connection.say("ROLLBACK").await?;
        self.turns = 0;
        Ok(())
    }
}

impl Connection {
    async fn run(&mut self, statement: Statement) -> Result<Outcome, DbErr> {
        self.statements += 1;
        self.session.run(statement).await
    }

    /// Runs one of the fixed statements around a transaction.
    async fn say(&mut self, sql: &'static str) -> Result<(), DbErr> {
        let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, []);
        self.session.run(statement).await.map(drop)
    }
}

fn timed_out() -> DbErr {
    DbErr::Custom("the transaction did nothing for too long and was rolled back".to_owned())
}

fn too_late() -> DbErr {
    DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)
}

fn stopped() -> DbErr {
    DbErr::Custom("the server stops".to_owned())
}
