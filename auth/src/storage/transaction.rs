//! A transaction that reports success only if all of it was committed.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement,
    prelude::async_trait::async_trait,
};

use super::{StorageError, sqlite::Turn};

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
///
/// A part is committed with the transaction that it is a part of. If it is dropped or rolled back, that
/// transaction cannot be committed either.
#[derive(Debug)]
pub struct Transaction {
    work: Arc<Work>,
    progress: Arc<Progress>,
    is_part: bool,
}

#[derive(Debug)]
enum Work {
    Orm(DatabaseTransaction),
    Sqlite(Turn),
}

#[derive(Debug, Default)]
struct Progress {
    /// Statements that began and have not succeeded.
    unfinished: AtomicUsize,
    /// Parts that began and were not committed.
    uncommitted: AtomicUsize,
}

impl From<DatabaseTransaction> for Transaction {
    fn from(transaction: DatabaseTransaction) -> Self {
        Self::new(Work::Orm(transaction))
    }
}

impl From<Turn> for Transaction {
    fn from(turn: Turn) -> Self {
        Self::new(Work::Sqlite(turn))
    }
}

impl Transaction {
    fn new(work: Work) -> Self {
        Self { work: Arc::new(work), progress: Arc::default(), is_part: false }
    }

    /// Commits it. On an error nothing is stored, unless the connection was lost: then it is unknown.
    pub async fn commit(self) -> Result<(), StorageError> {
        self.check()?;
        if self.is_part {
            self.progress.uncommitted.fetch_sub(1, Ordering::AcqRel);
            return Ok(());
        }
        if self.progress.uncommitted.load(Ordering::Acquire) > 0 {
            return Err(DbErr::Custom("a part of the transaction was not committed".to_owned()));
        }
        match Arc::into_inner(self.work) {
            Some(Work::Orm(transaction)) => transaction.commit().await,
            Some(Work::Sqlite(turn)) => turn.commit().await,
            None => Err(DbErr::Custom("a part of the transaction goes on".to_owned())),
        }
    }

    /// Rolls it back.
    pub(crate) async fn rollback(self) -> Result<(), StorageError> {
        match Arc::into_inner(self.work) {
            Some(Work::Orm(transaction)) => transaction.rollback().await,
            _ => Ok(()),
        }
    }

    fn check(&self) -> Result<(), DbErr> {
        if self.progress.unfinished.load(Ordering::Acquire) > 0 {
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
        self.progress.unfinished.fetch_add(1, Ordering::AcqRel);
        let outcome = statement.await?;
        self.progress.unfinished.fetch_sub(1, Ordering::AcqRel);
        Ok(outcome)
    }
}

#[async_trait]
impl Begin for Transaction {
    async fn begin(&self) -> Result<Self, StorageError> {
        self.check()?;
        self.progress.uncommitted.fetch_add(1, Ordering::AcqRel);
        Ok(Self { work: self.work.clone(), progress: self.progress.clone(), is_part: true })
    }
}

#[async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        match &*self.work {
            Work::Orm(transaction) => transaction.get_database_backend(),
            Work::Sqlite(_) => DbBackend::Sqlite,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match &*self.work {
            Work::Orm(transaction) => self.attempt(transaction.execute_raw(statement)).await,
            Work::Sqlite(turn) => Ok(self.attempt(turn.run(statement)).await?.result),
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match &*self.work {
            Work::Orm(transaction) => self.attempt(transaction.execute_unprepared(sql)).await,
            Work::Sqlite(turn) => {
                let statement = Statement::from_string(DbBackend::Sqlite, sql);
                Ok(self.attempt(turn.run(statement)).await?.result)
            }
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match &*self.work {
            Work::Orm(transaction) => self.attempt(transaction.query_one_raw(statement)).await,
            Work::Sqlite(turn) => {
                Ok(self.attempt(turn.run(statement)).await?.rows.into_iter().next())
            }
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match &*self.work {
            Work::Orm(transaction) => self.attempt(transaction.query_all_raw(statement)).await,
            Work::Sqlite(turn) => Ok(self.attempt(turn.run(statement)).await?.rows),
        }
    }
}
