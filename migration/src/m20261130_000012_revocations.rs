//! Recently revoked grants, tokens and keys, in the order in which verifiers hear of them.

use sea_orm_migration::{prelude::*, schema::*};

use crate::NewTable;

pub(crate) const MIGRATION: NewTable = NewTable {
    name: "m20261130_000012_revocations",
    table: "revocations",
    columns,
    indexes: &[("revocations_by_id", "id"), ("revocations_by_time", "revoked_at")],
};

fn columns(table: &mut TableCreateStatement) {
    table.col(big_integer("version").primary_key()).col(text("id")).col(big_integer("revoked_at"));
}
