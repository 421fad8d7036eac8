//! One connection to SQLite, and what a statement on it comes to.

use futures::TryStreamExt;
use sea_orm::{
    ConnAcquireErr, DbErr, ExecResult, QueryResult, Statement,
    sqlx::{
        self, AssertSqlSafe, ConnectOptions, Either, Executor, SqliteConnection,
        sqlite::{SqliteConnectOptions, SqliteQueryResult},
    },
};
use sea_query_sqlx::SqlxValues;

use super::{connect_error, query_error};

/// What a statement came to.
pub(in crate::storage) struct Outcome {
    pub(in crate::storage) rows: Vec<QueryResult>,
    pub(in crate::storage) result: ExecResult,
}

/// A connection that can be opened again after it was lost.
#[derive(Debug)]
pub(super) struct Session {
    options: SqliteConnectOptions,
    connection: Option<SqliteConnection>,
}

impl Session {
    pub(super) fn new(options: SqliteConnectOptions) -> Self {
        Self { options, connection: None }
    }

    /// Opens the connection, unless it is open.
    pub(super) async fn open(&mut self) -> Result<(), DbErr> {
        if self.connection.is_none() {
            self.connection = Some(self.options.connect().await.map_err(connect_error)?);
        }
        Ok(())
    }

    /// Runs a statement to its end. One that was given up midway runs to its end, too, before the next
    /// begins. A lost connection is not opened again here, because a statement may be part of a
    /// transaction that was lost with it.
    pub(super) async fn run(&mut self, statement: Statement) -> Result<Outcome, DbErr> {
        let Some(connection) = &mut self.connection else {
            return Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed));
        };
        let outcome = run(connection, statement).await;
        if outcome.as_ref().is_err_and(|error| error.as_database_error().is_none()) {
            self.close();
        }
        outcome.map_err(query_error)
    }

    /// Closes the connection. What was not committed on it is rolled back.
    pub(super) fn close(&mut self) {
        self.connection = None;
    }
}

/// Reads all rows, even if one is enough: the driver ignores the outcome of a statement that it stops at
/// its first row, and that of an `INSERT … RETURNING` is decided only at its end.
async fn run(connection: &mut SqliteConnection, statement: Statement) -> sqlx::Result<Outcome> {
    let Statement { sql, values, .. } = statement;
    let sql = AssertSqlSafe(sql);
    let mut items = match values {
        Some(values) => connection.fetch_many(sqlx::query_with(sql, SqlxValues(values))),
        None => connection.fetch_many(sqlx::raw_sql(sql)),
    };
    let mut rows = Vec::new();
    let mut result = SqliteQueryResult::default();
    while let Some(item) = items.try_next().await? {
        match item {
            Either::Left(part) => result.extend([part]),
            Either::Right(row) => rows.push(row.into()),
        }
    }
    Ok(Outcome { rows, result: result.into() })
}
