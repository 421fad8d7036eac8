//! Connections to either engine, for single statements and transactions.

use std::{sync::Arc, time::Duration};

use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    ExecResult, QueryResult, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait, prelude::async_trait::async_trait,
};

use super::{
    StorageError,
    sqlite::Sqlite,
    time_limits,
    transaction::{Begin, Transaction},
};

/// How long it may take to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections to SQLite or PostgreSQL.
#[derive(Clone, Debug)]
pub struct Pool(Engine);

#[derive(Clone, Debug)]
enum Engine {
    /// A pool of the ORM, for PostgreSQL.
    Orm(DatabaseConnection),
    Sqlite(Arc<Sqlite>),
}

impl Pool {
    /// Opens a database of PostgreSQL.
    pub(super) async fn open_postgres(url: &str) -> Result<Self, DbErr> {
        let mut options = ConnectOptions::new(url);
        options.sqlx_logging(false).connect_timeout(CONNECT_TIMEOUT);
        time_limits::on_each_connection(&mut options);
        Ok(sea_orm::Database::connect(options).await?.into())
    }

    /// Opens a file of SQLite.
    pub(super) async fn open_sqlite(url: &str) -> Result<Self, DbErr> {
        let sqlite = Sqlite::open(url, time_limits::IDLE_TIMEOUT).await?;
        Ok(Self(Engine::Sqlite(Arc::new(sqlite))))
    }

    /// Begins a transaction that may change the schema.
    pub(super) async fn begin_migration(&self) -> Result<DatabaseTransaction, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        match &self.0 {
            Engine::Orm(pool) => pool.begin_with_options(options).await,
            Engine::Sqlite(sqlite) => sqlite.anchor().begin_with_options(options).await,
        }
    }
}

impl From<DatabaseConnection> for Pool {
    fn from(pool: DatabaseConnection) -> Self {
        Self(Engine::Orm(pool))
    }
}

#[async_trait]
impl Begin for Pool {
    async fn begin(&self) -> Result<Transaction, StorageError> {
        let pool = match &self.0 {
            Engine::Orm(pool) => pool.clone(),
            Engine::Sqlite(sqlite) => return sqlite.begin().await.map(Transaction::from),
        };
        // A task of its own finishes the BEGIN of a request that is dropped meanwhile. Otherwise sqlx
        // forgets that PostgreSQL has it and hands the open transaction to the next request, whose
        // writes are then never committed.
        let begun = tokio::spawn(async move { pool.begin().await });
        let begun = begun.await.map_err(|error| DbErr::Custom(error.to_string()))?;
        begun.map(Transaction::from)
    }
}

#[async_trait]
impl ConnectionTrait for Pool {
    fn get_database_backend(&self) -> DbBackend {
        match &self.0 {
            Engine::Orm(pool) => pool.get_database_backend(),
            Engine::Sqlite(_) => DbBackend::Sqlite,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match &self.0 {
            Engine::Orm(pool) => pool.execute_raw(statement).await,
            Engine::Sqlite(sqlite) => Ok(sqlite.run(statement).await?.result),
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match &self.0 {
            Engine::Orm(pool) => pool.execute_unprepared(sql).await,
            Engine::Sqlite(sqlite) => {
                let statement = Statement::from_string(DbBackend::Sqlite, sql);
                Ok(sqlite.run(statement).await?.result)
            }
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match &self.0 {
            Engine::Orm(pool) => pool.query_one_raw(statement).await,
            Engine::Sqlite(sqlite) => Ok(sqlite.run(statement).await?.rows.into_iter().next()),
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match &self.0 {
            Engine::Orm(pool) => pool.query_all_raw(statement).await,
            Engine::Sqlite(sqlite) => Ok(sqlite.run(statement).await?.rows),
        }
    }
}
