//! Who a user is at an upstream: its numeric id or subject, never a name or an address.

use sea_orm_migration::{prelude::*, schema::*};

use crate::NewTable;

pub(crate) const MIGRATION: NewTable = NewTable {
    name: "m20261130_000002_identities",
    table: "identities",
    columns,
    indexes: &[("identities_by_user", "user_id"), ("identities_by_recheck", "recheck_at")],
};

fn columns(table: &mut TableCreateStatement) {
    table
        .col(text("provider"))
        .col(text("subject"))
        .col(uuid("user_id"))
        .col(big_integer("created_at"))
        .col(text_null("credential"))
        .col(big_integer_null("recheck_at"))
        .primary_key(Index::create().col("provider").col("subject"));
}
