//! What rests on the database, on SQLite and on PostgreSQL.

mod engines;
mod failing_writes;
mod outages;
mod plans;
pub(crate) mod retention;
mod sweeps;
mod unused_grants;
