//! Messages to clients that a session has ended, until each has been delivered.

use sea_orm_migration::{prelude::*, schema::*};

use crate::NewTable;

pub(crate) const MIGRATION: NewTable = NewTable {
    name: "m20261130_000013_logout_deliveries",
    table: "logout_deliveries",
    columns,
    indexes: &[("logout_deliveries_by_time", "due_at")],
};

fn columns(table: &mut TableCreateStatement) {
    table
        .col(uuid("id").primary_key())
        .col(text("client_id"))
        .col(text("uri"))
        .col(uuid("user_id"))
        .col(uuid("session_id"))
        .col(big_integer("attempts"))
        .col(big_integer("due_at"));
}
