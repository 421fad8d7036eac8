//! Numbers that only grow. Raising one locks its row until the transaction ends, so a counter is also a
//! lock that replicas share.

use sea_orm_migration::{prelude::*, schema::*};

use crate::NewTable;

pub(crate) const MIGRATION: NewTable =
    NewTable { name: "m20261130_000016_counters", table: "counters", columns, indexes: &[] };

fn columns(table: &mut TableCreateStatement) {
    table.col(text("name").primary_key()).col(big_integer("value"));
}
