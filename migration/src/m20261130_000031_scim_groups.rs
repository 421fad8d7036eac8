//! Groups of the provisioning system.

use sea_orm_migration::{prelude::*, schema::*};

use crate::NewTable;

pub(crate) const MIGRATION: NewTable = NewTable {
    name: "m20261130_000031_scim_groups",
    table: "scim_groups",
    columns,
    indexes: &[("scim_groups_by_external_id", "external_id")],
};

fn columns(table: &mut TableCreateStatement) {
    table
        .col(uuid("id").primary_key())
        .col(text("name").unique_key())
        .col(text_null("external_id"))
        .col(text("display_name"))
        .col(big_integer("created_at"))
        .col(big_integer("updated_at"));
}
