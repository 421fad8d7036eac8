//! Which user of the provisioning system is in which group.

use sea_orm_migration::{prelude::*, schema::*};

use crate::NewTable;

pub(crate) const MIGRATION: NewTable = NewTable {
    name: "m20261130_000032_scim_members",
    table: "scim_members",
    columns,
    indexes: &[("scim_members_by_user", "user_id")],
};

fn columns(table: &mut TableCreateStatement) {
    table
        .col(uuid("group_id"))
        .col(uuid("user_id"))
        .primary_key(Index::create().col("group_id").col("user_id"));
}
