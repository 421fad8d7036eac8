//! Numbers that only grow, and the locks that come with them.

use sea_orm::{
    ConnectionTrait, IntoActiveModel,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait, OnConflict},
};

use super::StorageError;

/// A counter.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "counters")]
pub struct Model {
    /// What it counts.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// Its latest number.
    pub value: i64,
}

without_relations!();

/// Raises a counter and returns the new number. Until `transaction` ends, all others that raise it
/// wait, on any replica: numbers become visible in their order, and without gaps.
pub async fn raise(
    transaction: &impl ConnectionTrait,
    name: &str,
    by: i64,
) -> Result<i64, StorageError> {
    let known = Expr::col((Entity, Column::Value));
    let raised = OnConflict::column(Column::Name).value(Column::Value, known.add(by)).to_owned();
    let first = Model { name: name.to_owned(), value: by }.into_active_model();
    let counter =
        Entity::insert(first).on_conflict(raised).exec_with_returning(transaction).await?;
    Ok(counter.value)
}

/// The latest number; 0 if it was never raised.
pub async fn read(db: &impl ConnectionTrait, name: &str) -> Result<i64, StorageError> {
    let counter = Entity::find_by_id(name.to_owned()).one(db).await?;
    Ok(counter.map_or(0, |counter| counter.value))
}
