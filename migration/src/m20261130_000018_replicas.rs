//! Running processes, and the master secrets that each of them can open with.

use sea_orm_migration::{prelude::*, schema::*};

use crate::NewTable;

pub(crate) const MIGRATION: NewTable =
    NewTable { name: "m20261130_000018_replicas", table: "replicas", columns, indexes: &[] };

fn columns(table: &mut TableCreateStatement) {
    table
        .col(uuid("id").primary_key())
        .col(text("secret_fingerprints"))
        .col(big_integer("seen_at"));
}
