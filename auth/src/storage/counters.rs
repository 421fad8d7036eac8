//! Numbers that only grow, and the locks that come with them.

use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait,
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
    /// The number.
    pub value: i64,
}

/// No relation is followed by the ORM.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Raises a counter and gives the new number. Until `transaction` ends, everybody else who would
/// raise it waits, on any replica: numbers become visible in their order, and without gaps.
pub async fn raise(
    transaction: &impl ConnectionTrait,
    name: &str,
    by: i64,
) -> Result<i64, StorageError> {
    let known = Expr::col((Entity, Column::Value));
    let raised = OnConflict::column(Column::Name).value(Column::Value, known.add(by)).to_owned();
    let first = ActiveModel { name: Set(name.into()), value: Set(by) };
    let counter =
        Entity::insert(first).on_conflict(raised).exec_with_returning(transaction).await?;
    Ok(counter.value)
}

/// The number; 0 if it was never raised.
pub async fn read(db: &impl ConnectionTrait, name: &str) -> Result<i64, StorageError> {
    let counter = Entity::find_by_id(name.to_owned()).one(db).await?;
    Ok(counter.map_or(0, |counter| counter.value))
}
