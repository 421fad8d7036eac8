//! Users of the provisioning system, whether or not they have signed in here.

use sea_orm_migration::{prelude::*, schema::*};

use crate::NewTable;

pub(crate) const MIGRATION: NewTable = NewTable {
    name: "m20261130_000030_scim_users",
    table: "scim_users",
    columns,
    indexes: &[("scim_users_by_external_id", "external_id")],
};

fn columns(table: &mut TableCreateStatement) {
    table
        .col(uuid("id").primary_key())
        .col(text("user_name").unique_key())
        .col(text_null("external_id"))
        .col(text_null("subject").unique_key())
        .col(boolean("active"))
        .col(text("attributes"))
        .col(big_integer("created_at"))
        .col(big_integer("updated_at"));
}
