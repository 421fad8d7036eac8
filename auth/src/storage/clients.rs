//! Pre-registered clients.

use sea_orm::{
    ConnectionTrait, FromJsonQueryResult, IntoActiveModel, QueryFilter, QueryOrder,
    entity::prelude::*,
};
use serde::{Deserialize, Serialize};

use super::{StorageError, find_one};
use crate::oauth::client::ClientMetadata;

const FIND: &str = "SELECT id, metadata, secret_hash, previous_secret_hash, \
    previous_secret_expires_at, created_at FROM clients WHERE id = $1";

/// A client that an operator entered.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "clients")]
pub struct Model {
    /// `client_id`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// What the operator said of it.
    pub metadata: Metadata,
    /// Hash of its secret; none for a client without one.
    pub secret_hash: Option<String>,
    /// Hash of the secret before the latest rotation.
    pub previous_secret_hash: Option<String>,
    /// Until when that one is still accepted.
    pub previous_secret_expires_at: Option<i64>,
    /// When it was entered.
    pub created_at: i64,
}

/// Client metadata, stored as the JSON of RFC 7591.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Metadata(pub ClientMetadata);

without_relations!();

impl Model {
    /// The hashes of the secrets that are accepted now, the newest first.
    pub(crate) fn live_secret_hashes(&self, now: i64) -> Vec<String> {
        let previous = self
            .previous_secret_hash
            .clone()
            .filter(|_| self.previous_secret_expires_at.is_some_and(|until| now < until));
        self.secret_hash.clone().into_iter().chain(previous).collect()
    }
}

pub(crate) async fn find(
    db: &impl ConnectionTrait,
    id: &str,
) -> Result<Option<Model>, StorageError> {
    find_one(db, FIND, [id.into()]).await
}

/// Every client, the oldest first.
pub(crate) async fn all(db: &impl ConnectionTrait) -> Result<Vec<Model>, StorageError> {
    Entity::find().order_by_asc(Column::CreatedAt).order_by_asc(Column::Id).all(db).await
}

/// Stores a client.
pub async fn add(db: &impl ConnectionTrait, client: Model) -> Result<(), StorageError> {
    client.into_active_model().insert(db).await.map(|_| ())
}

/// Removes a client; `false` if there was none.
pub(crate) async fn remove(db: &impl ConnectionTrait, id: &str) -> Result<bool, StorageError> {
    let outcome = Entity::delete_by_id(id.to_owned()).exec(db).await?;
    Ok(outcome.rows_affected == 1)
}

/// Replaces the secret `old_hash`, which is still accepted until `old_until`. Of two rotations at
/// once, one gets `false`.
pub(crate) async fn rotate_secret(
    db: &impl ConnectionTrait,
    id: &str,
    old_hash: &str,
    new_hash: &str,
    old_until: i64,
) -> Result<bool, StorageError> {
    let outcome = Entity::update_many()
        .col_expr(Column::SecretHash, Expr::value(new_hash))
        .col_expr(Column::PreviousSecretHash, Expr::value(old_hash))
        .col_expr(Column::PreviousSecretExpiresAt, Expr::value(old_until))
        .filter(Column::Id.eq(id))
        .filter(Column::SecretHash.eq(old_hash))
        .exec(db)
        .await?;
    Ok(outcome.rows_affected == 1)
}
