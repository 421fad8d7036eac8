//! Values that count once, each known by an identifier inside it: the same value may be spelled in
//! several ways, and a change of spelling must not make it count again. One statement on one unique
//! index decides who was first, on any replica.

use sea_orm::{
    ConnectionTrait, IntoActiveModel, QueryFilter, entity::prelude::*, sea_query::OnConflict,
};

use super::StorageError;
use crate::oauth::secret;

/// A value that was used.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "single_use")]
pub struct Model {
    /// Hash of purpose and identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub value_hash: String,
    /// From when the value is no good for other reasons.
    pub expires_at: i64,
}

/// No relation is followed by the ORM.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Remembers the identifier until `expires_at`: `true` for the first caller with the same purpose
/// and identifier, `false` for every other.
pub async fn remember(
    db: &impl ConnectionTrait,
    purpose: &str,
    id: &str,
    expires_at: i64,
) -> Result<bool, StorageError> {
    // No purpose holds a zero byte, so no two pairs make the same text.
    let value_hash = secret::hash(&format!("{purpose}\0{id}"));
    let row = Model { value_hash, expires_at };
    let inserted = Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::column(Column::ValueHash).do_nothing().to_owned())
        .exec_without_returning(db)
        .await?;
    Ok(inserted == 1)
}

/// Forgets what has expired; how many that were.
pub async fn forget_expired(db: &impl ConnectionTrait, now: i64) -> Result<u64, StorageError> {
    let outcome = Entity::delete_many().filter(Column::ExpiresAt.lte(now)).exec(db).await?;
    Ok(outcome.rows_affected)
}
