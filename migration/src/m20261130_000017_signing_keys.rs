//! Signing keys. The private key is sealed under a master secret.

use sea_orm_migration::{prelude::*, schema::*};

use crate::NewTable;

pub(crate) const MIGRATION: NewTable = NewTable {
    name: "m20261130_000017_signing_keys",
    table: "signing_keys",
    columns,
    indexes: &[],
};

fn columns(table: &mut TableCreateStatement) {
    table
        .col(text("kid").primary_key())
        .col(text("algorithm"))
        .col(text("sealed_private_jwk"))
        .col(big_integer("activates_at"))
        .col(big_integer_null("retires_at"));
}
