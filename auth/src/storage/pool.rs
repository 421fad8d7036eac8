//! The pool of connections, for single statements and for transactions. It hands a connection out
//! again only when no transaction is left open on it.

use std::{pin::Pin, time::Duration};

use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
    prelude::async_trait::async_trait,
    sqlx::{self, Connection, Sqlite, SqliteConnection, pool::PoolOptions},
};

use super::{
    StorageError,
    transaction::{Begin, Transaction},
};

/// A pool of connections to SQLite or PostgreSQL.
#[derive(Clone, Debug)]
pub struct Pool {
    pool: DatabaseConnection,
    /// A connection to SQLite that nobody uses. While it is open, SQLite keeps its shared memory and
    /// its log, so another one can be opened when the disk is full: requests that only read go on.
    _anchor: Option<DatabaseConnection>,
}

impl Pool {
    /// Opens the pool and its first connection.
    pub(super) async fn connect(mut options: ConnectOptions) -> Result<Self, DbErr> {
        options.map_sqlx_sqlite_pool_opts(close_unless_idle);
        let pool = sea_orm::Database::connect(options.clone()).await?;
        let anchor = if pool.get_database_backend() == DbBackend::Sqlite {
            options.idle_timeout(None::<Duration>).max_lifetime(None::<Duration>);
            Some(sea_orm::Database::connect(options).await?)
        } else {
            None
        };
        Ok(Self { pool, _anchor: anchor })
    }

    /// Whether the database answers.
    pub(super) async fn ping(&self) -> Result<(), StorageError> {
        self.pool.ping().await
    }
}

impl From<DatabaseConnection> for Pool {
    fn from(pool: DatabaseConnection) -> Self {
        Self { pool, _anchor: None }
    }
}

#[async_trait]
impl Begin for Pool {
    /// Begins a transaction that takes SQLite's write lock at once: one that read first and wrote
    /// later would fail instead of waiting.
    async fn begin(&self) -> Result<Transaction, StorageError> {
        let pool = self.pool.clone();
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        // A task of its own finishes the BEGIN of a request that is dropped meanwhile. sqlx would
        // forget that PostgreSQL has it, and hand the open transaction to the next request, whose
        // writes would then never be committed.
        let begun = tokio::spawn(async move { pool.begin_with_options(options).await });
        let begun = begun.await.map_err(|error| DbErr::Custom(error.to_string()))?;
        begun.map(Transaction::new)
    }
}

#[async_trait]
impl ConnectionTrait for Pool {
    fn get_database_backend(&self) -> DbBackend {
        self.pool.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.pool.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.pool.execute_unprepared(sql).await
    }

    /// Reads all rows, of which there is one at most. When asked for one row only, sqlx resets an
    /// SQLite statement after its first row and ignores the outcome; but where the statement is an
    /// `INSERT … RETURNING`, it is the reset that commits.
    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.pool.query_all_raw(statement).await?.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.pool.query_all_raw(statement).await
    }
}

/// Has connections closed that come back to the pool with a transaction on them.
///
/// SQLite rolls back by itself when a write or a commit fails for lack of space or for an I/O error.
/// The ROLLBACK that sqlx has queued then fails, and sqlx goes on counting a transaction that is
/// none: later ones would be savepoints, inside a transaction that nothing ever commits.
///
/// On PostgreSQL, sqlx counts a transaction down when it queues the ROLLBACK, and the server takes it
/// in any state.
fn close_unless_idle(options: PoolOptions<Sqlite>) -> PoolOptions<Sqlite> {
    options.after_release(|connection, _| is_idle(connection))
}

/// Whether no transaction is counted on a connection, once what is queued on it has been done. The
/// usual case, in which nothing is counted to begin with, costs nothing.
fn is_idle(
    connection: &mut SqliteConnection,
) -> Pin<Box<dyn Future<Output = sqlx::Result<bool>> + Send + '_>> {
    Box::pin(async move {
        if !connection.is_in_transaction() {
            return Ok(true);
        }
        connection.ping().await?;
        let is_idle = !connection.is_in_transaction();
        if !is_idle {
            tracing::warn!("closed a database connection that a failed transaction has spoiled");
        }
        Ok(is_idle)
    })
}
