//! Pre-registered clients. Open registrations leave no row here.

use sea_orm_migration::{prelude::*, schema::*};

use crate::NewTable;

pub(crate) const MIGRATION: NewTable =
    NewTable { name: "m20261130_000004_clients", table: "clients", columns, indexes: &[] };

fn columns(table: &mut TableCreateStatement) {
    table
        .col(text("id").primary_key())
        .col(json("metadata"))
        .col(text_null("secret_hash"))
        .col(text_null("previous_secret_hash"))
        .col(big_integer_null("previous_secret_expires_at"))
        .col(big_integer("created_at"));
}
