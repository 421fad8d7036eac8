//! Values that count once, each as a hash, until they expire.

use sea_orm_migration::{prelude::*, schema::*};

use crate::NewTable;

pub(crate) const MIGRATION: NewTable = NewTable {
    name: "m20261130_000011_single_use",
    table: "single_use",
    columns,
    indexes: &[("single_use_expires_at", "expires_at")],
};

fn columns(table: &mut TableCreateStatement) {
    table.col(text("value_hash").primary_key()).col(big_integer("expires_at"));
}
