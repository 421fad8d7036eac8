//! Opaque access tokens, as hashes, with the claims that a signed token would carry.

use sea_orm_migration::{prelude::*, schema::*};

use crate::NewTable;

pub(crate) const MIGRATION: NewTable = NewTable {
    name: "m20261130_000010_opaque_tokens",
    table: "opaque_tokens",
    columns,
    indexes: &[("opaque_tokens_by_expiry", "expires_at")],
};

fn columns(table: &mut TableCreateStatement) {
    table.col(big_integer("expires_at")).col(text("token_hash").primary_key()).col(text("claims"));
}
