//! How long PostgreSQL works on one statement at most, so that one that has lost its way neither
//! holds a connection for ever nor outlives the process that sent it.

use sea_orm::{ConnectOptions, ConnectionTrait, DbErr, sqlx::Executor};

/// Each is set only where neither DATABASE_URL (`?options=-c statement_timeout=30s`), nor the role,
/// nor the database says otherwise. `client_connection_check_interval` ends the statement of a
/// process that has gone; PostgreSQL has it since version 14.
const LIMITS: &str = "SELECT set_config(name, wanted, false) FROM pg_settings JOIN (VALUES \
    ('statement_timeout', '10s'), \
    ('idle_in_transaction_session_timeout', '30s'), \
    ('client_connection_check_interval', '2s')) AS limits (known, wanted) ON name = known \
    WHERE setting = '0'";

/// Gives each connection of a PostgreSQL pool its limits.
pub(super) fn on_each_connection(options: &mut ConnectOptions) {
    options.map_sqlx_postgres_pool_opts(|pool| {
        pool.after_connect(|connection, _| {
            Box::pin(async move { connection.execute(LIMITS).await.map(drop) })
        })
    });
}

/// Lifts the limit until `transaction` ends: an index of a large table takes its time to build.
pub(super) async fn lift(transaction: &impl ConnectionTrait) -> Result<(), DbErr> {
    transaction.execute_unprepared("SET LOCAL statement_timeout = 0").await.map(drop)
}
