//! Clients that an operator has blocked, however they are known.

use sea_orm_migration::{prelude::*, schema::*};

use crate::NewTable;

pub(crate) const MIGRATION: NewTable = NewTable {
    name: "m20261130_000020_blocked_clients",
    table: "blocked_clients",
    columns,
    indexes: &[],
};

fn columns(table: &mut TableCreateStatement) {
    table
        .col(text("client_id_hash").primary_key())
        .col(text("client_id"))
        .col(text("client_name"))
        .col(big_integer("blocked_at"));
}
