//! A transaction that reports success only if all of it was committed.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement,
    TransactionTrait, prelude::async_trait::async_trait,
};

use super::StorageError;

/// What a transaction can begin on: the pool, or a transaction, of which the new one is a part.
#[async_trait]
pub trait Begin: Sync {
    /// Begins a transaction.
    async fn begin(&self) -> Result<Transaction, StorageError>;
}

/// A transaction. It is rolled back when it is dropped.
///
/// After a statement has failed or was dropped midway, the transaction refuses all others. SQLite may
/// have rolled it back by itself, so the next statement would be committed alone; and PostgreSQL answers
/// its COMMIT with a ROLLBACK, which sqlx takes for success.
#[derive(Debug)]
pub struct Transaction {
    transaction: DatabaseTransaction,
    /// Statements that began and have not succeeded, in this transaction, its parts and the one that it
    /// is a part of.
    unfinished: Arc<AtomicUsize>,
}

impl Transaction {
    pub(super) fn new(transaction: DatabaseTransaction) -> Self {
        Self { transaction, unfinished: Arc::default() }
    }

    /// The inner transaction, for the migrations. They commit nothing themselves.
    pub(super) fn for_migrations(&self) -> &DatabaseTransaction {
        &self.transaction
    }

    /// Commits it. On an error nothing is stored, unless the connection was lost: then it is unknown.
    pub async fn commit(self) -> Result<(), StorageError> {
        self.check()?;
        self.transaction.commit().await
    }

    /// Rolls it back.
    pub async fn rollback(self) -> Result<(), StorageError> {
        self.transaction.rollback().await
    }

    fn check(&self) -> Result<(), DbErr> {
        if self.unfinished.load(Ordering::Acquire) > 0 {
            let why = "an earlier statement of the transaction did not succeed";
            return Err(DbErr::Custom(why.to_owned()));
        }
        Ok(())
    }

    /// Runs a statement, unless an earlier one has not succeeded.
    async fn attempt<T>(
        &self,
        statement: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, DbErr> {
        self.check()?;
        self.unfinished.fetch_add(1, Ordering::AcqRel);
        let outcome = statement.await?;
        self.unfinished.fetch_sub(1, Ordering::AcqRel);
        Ok(outcome)
    }
}

#[async_trait]
impl Begin for Transaction {
    async fn begin(&self) -> Result<Self, StorageError> {
        let transaction = self.attempt(self.transaction.begin()).await?;
        Ok(Self { transaction, unfinished: self.unfinished.clone() })
    }
}

#[async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        self.transaction.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.attempt(self.transaction.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.attempt(self.transaction.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.attempt(self.transaction.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.attempt(self.transaction.query_all_raw(statement)).await
    }
}
