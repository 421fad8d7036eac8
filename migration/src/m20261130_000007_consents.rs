//! Where a user was when they allowed a grant, and what the client asked for.

use sea_orm_migration::{prelude::*, schema::*};

use crate::NewTable;

pub(crate) const MIGRATION: NewTable = NewTable {
    name: "m20261130_000007_consents",
    table: "consents",
    columns,
    indexes: &[("consents_by_user", "user_id")],
};

fn columns(table: &mut TableCreateStatement) {
    table
        .col(uuid("grant_id").primary_key())
        .col(uuid("user_id"))
        .col(text("redirect_uri"))
        .col(text("device"))
        .col(text("network"))
        .col(text("asked_scope").default(""));
}
