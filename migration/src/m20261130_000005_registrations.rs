//! Open registrations that were changed or deleted; all others leave no row.

use sea_orm_migration::{prelude::*, schema::*};

use crate::NewTable;

pub(crate) const MIGRATION: NewTable = NewTable {
    name: "m20261130_000005_registrations",
    table: "registrations",
    columns,
    indexes: &[("registrations_by_use", "is_used")],
};

fn columns(table: &mut TableCreateStatement) {
    table
        .col(text("client_id_hash").primary_key())
        .col(json_null("metadata"))
        .col(boolean("is_used"))
        .col(big_integer("changed_at"));
}
