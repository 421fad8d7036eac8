//! Users who have signed in at least once.

use sea_orm_migration::{prelude::*, schema::*};

use crate::NewTable;

pub(crate) const MIGRATION: NewTable =
    NewTable { name: "m20261130_000001_users", table: "users", columns, indexes: &[] };

fn columns(table: &mut TableCreateStatement) {
    table
        .col(uuid("id").primary_key())
        .col(text_null("name"))
        .col(text_null("preferred_username"))
        .col(text_null("picture"))
        .col(text_null("email"))
        .col(boolean("email_verified"))
        .col(text("facts"))
        .col(big_integer_null("disabled_at"))
        .col(big_integer("created_at"))
        .col(big_integer("updated_at"));
}
