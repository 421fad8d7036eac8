//! Values that count once, each known by an identifier inside it: the same value may be spelled in
//! several ways, and another spelling must not make it count again. One statement on one unique index
//! decides which caller was first, on any replica.

use sea_orm::{ConnectionTrait, IntoActiveModel, entity::prelude::*, sea_query::OnConflict};

use super::StorageError;
use crate::oauth::secret;

/// A value that was used.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "single_use")]
pub struct Model {
    /// Hash of purpose and identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub value_hash: String,
    /// When the value stops being valid anyway.
    pub expires_at: i64,
}

without_relations!();

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
