//! Browsers that are signed in. The value of the cookie is kept as a hash.

use sea_orm_migration::{prelude::*, schema::*};

use crate::NewTable;

pub(crate) const MIGRATION: NewTable = NewTable {
    name: "m20261130_000003_sessions",
    table: "sessions",
    columns,
    indexes: &[("sessions_by_expiry", "expires_at"), ("sessions_by_user", "user_id")],
};

fn columns(table: &mut TableCreateStatement) {
    table
        .col(text("token_hash").primary_key())
        .col(uuid("user_id"))
        .col(big_integer("authenticated_at"))
        .col(big_integer("expires_at"))
        .col(uuid("id"))
        .col(text("device"))
        .col(text("network"))
        .col(big_integer("last_seen_at"));
}
