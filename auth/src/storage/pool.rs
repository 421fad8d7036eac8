//! The connection pool. It reuses a connection only if no transaction is left open on it.

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
    /// An idle connection to SQLite. While it is open, SQLite keeps its shared memory and its log, so
    /// that another connection can be opened on a full disk and requests that only read go on.
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
    /// Begins a transaction that takes SQLite's write lock at once. One that reads first and writes later
    /// would fail instead of waiting.
    async fn begin(&self) -> Result<Transaction, StorageError> {
        let pool = self.pool.clone();
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        // A task of its own finishes the BEGIN of a request that is dropped meanwhile. Otherwise sqlx
        // forgets that PostgreSQL has it and hands the open transaction to the next request, whose
        // writes are then never committed.
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

    /// Reads all rows, of which there is at most one. When asked for one row, sqlx resets an SQLite
    /// statement after its first row and ignores the outcome, but it is the reset that commits an
    /// `INSERT … RETURNING`.
    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(self.pool.query_all_raw(statement).await?.into_iter().next())
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.pool.query_all_raw(statement).await
    }
}

/// Closes connections that return to the pool with a transaction on them.
///
/// SQLite rolls back by itself when a write or a commit fails for lack of space or for an I/O error.
/// The ROLLBACK that sqlx has queued then fails, and sqlx keeps counting a transaction that does not
/// exist: later ones would be savepoints inside a transaction that nothing ever commits.
///
/// On PostgreSQL, sqlx stops counting a transaction when it queues the ROLLBACK, and the server accepts
/// that in any state.
fn close_unless_idle(options: PoolOptions<Sqlite>) -> PoolOptions<Sqlite> {
    options.after_release(|connection, _| is_idle(connection))
}

/// Whether sqlx counts no transaction on a connection once its queue has run. The usual case, in which
/// it counts none to begin with, costs nothing.
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
            tracing::warn!("closed a database connection that was left in a failed transaction");
        }
        Ok(is_idle)
    })
}
