//! How often somebody has tried something recently, as the time when their allowance is whole again.

use sea_orm_migration::{prelude::*, schema::*};

use crate::NewTable;

pub(crate) const MIGRATION: NewTable = NewTable {
    name: "m20261130_000015_attempts",
    table: "attempts",
    columns,
    indexes: &[("attempts_whole_again_at", "whole_again_at")],
};

fn columns(table: &mut TableCreateStatement) {
    table.col(text("key_hash").primary_key()).col(big_integer("whole_again_at"));
}
