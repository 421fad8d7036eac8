//! Time limits of statements and transactions, so that none of them holds a connection forever or
//! outlives the process that sent it.

use std::time::Duration;

use sea_orm::{ConnectOptions, ConnectionTrait, DbErr, sqlx::Executor};

/// How long a transaction of SQLite may do nothing while it has the turn to write. The others wait for it,
/// so it must wait for nothing but the database.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// Those of PostgreSQL. Each is set unless DATABASE_URL (`?options=-c statement_timeout=30s`), the role or the database sets
/// it. `client_connection_check_interval` ends the statement of a process that has exited; it needs
/// PostgreSQL 14.
const LIMITS: &str = "SELECT set_config(name, wanted, false) FROM pg_settings JOIN (VALUES \
    ('statement_timeout', '10s'), \
    ('idle_in_transaction_session_timeout', '30s'), \
    ('client_connection_check_interval', '2s')) AS limits (known, wanted) ON name = known \
    WHERE setting = '0'";

/// Sets the limits on each connection of a PostgreSQL pool.
pub(super) fn on_each_connection(options: &mut ConnectOptions) {
    options.map_sqlx_postgres_pool_opts(|pool| {
        pool.after_connect(|connection, _| {
            Box::pin(async move { connection.execute(LIMITS).await.map(drop) })
        })
    });
}

/// Lifts the limit until `transaction` ends, because building an index of a large table takes time.
pub(super) async fn lift(transaction: &impl ConnectionTrait) -> Result<(), DbErr> {
    transaction.execute_unprepared("SET LOCAL statement_timeout = 0").await.map(drop)
}
