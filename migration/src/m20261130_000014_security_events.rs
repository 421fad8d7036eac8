//! What happened to an account, for the user who owns it.

use sea_orm_migration::{prelude::*, schema::*};

use crate::NewTable;

pub(crate) const MIGRATION: NewTable = NewTable {
    name: "m20261130_000014_security_events",
    table: "security_events",
    columns,
    indexes: &[
        ("security_events_by_user", "user_id, id"),
        ("security_events_by_time", "occurred_at"),
    ],
};

fn columns(table: &mut TableCreateStatement) {
    table
        .col(uuid("id").primary_key())
        .col(uuid("user_id"))
        .col(text("kind"))
        .col(text("subject"))
        .col(text("device"))
        .col(text("network"))
        .col(text("actor"))
        .col(text("rule"))
        .col(big_integer("occurred_at"));
}
