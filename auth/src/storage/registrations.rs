//! Open registrations that were changed or deleted. All others are only in their `client_id`.

use sea_orm::{
    ConnectionTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    entity::prelude::*,
    sea_query::{ExprTrait, OnConflict},
};
use uuid::Uuid;

use super::{StorageError, clients::Metadata, find_one};
use crate::oauth::secret;

const FIND: &str = "SELECT client_id_hash, metadata, is_used, changed_at FROM registrations \
    WHERE client_id_hash = $1";

/// What takes precedence over the registration in a `client_id`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "registrations")]
pub struct Model {
    /// Hash of the identifier that the `client_id` carries.
    #[sea_orm(primary_key, auto_increment = false)]
    pub client_id_hash: String,
    /// The metadata in force; none once the registration was deleted.
    pub metadata: Option<Metadata>,
    /// Whether any user has allowed the client anything.
    pub is_used: bool,
    /// When it was changed or deleted.
    pub changed_at: i64,
}

without_relations!();

/// The key of a registration's row. It is derived from the identifier inside the `client_id`, so that
/// another spelling does not undo a deletion.
pub(crate) fn key(registration_id: Uuid) -> String {
    secret::hash(&registration_id.to_string())
}

/// Finds the row of a registration.
pub async fn find(
    db: &impl ConnectionTrait,
    registration_id: Uuid,
) -> Result<Option<Model>, StorageError> {
    find_one(db, FIND, [key(registration_id).into()]).await
}

/// Records that a user has allowed a client something.
pub async fn note_use(
    db: &impl ConnectionTrait,
    registration_id: Uuid,
) -> Result<(), StorageError> {
    Entity::update_many()
        .col_expr(Column::IsUsed, Expr::value(true))
        .filter(Column::ClientIdHash.eq(key(registration_id)))
        .exec(db)
        .await
        .map(|_| ())
}

/// How many rows belong to clients without any consent.
pub async fn unused(db: &impl ConnectionTrait) -> Result<u64, StorageError> {
    Entity::find().filter(Column::IsUsed.eq(false)).count(db).await
}

/// Stores a change or a deletion. What was deleted stays deleted.
pub(crate) async fn put(db: &impl ConnectionTrait, row: Model) -> Result<(), StorageError> {
    let replace = OnConflict::column(Column::ClientIdHash)
        .update_columns([Column::Metadata, Column::IsUsed, Column::ChangedAt])
        .action_and_where(Expr::col((Entity, Column::Metadata)).is_not_null())
        .to_owned();
    Entity::insert(row.into_active_model()).on_conflict(replace).exec_without_returning(db).await?;
    Ok(())
}
