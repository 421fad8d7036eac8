//! Signing keys, each private half sealed under a master secret.

use sea_orm::{ActiveValue::Set, ConnectionTrait, QueryOrder, entity::prelude::*};

use super::StorageError;

/// A signing key.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_keys")]
pub struct Model {
    /// Thumbprint (RFC 7638).
    #[sea_orm(primary_key, auto_increment = false)]
    pub kid: String,
    /// What it signs with.
    pub algorithm: String,
    /// The private JWK, sealed.
    pub sealed_private_jwk: String,
    /// From when it signs.
    pub activates_at: i64,
    /// From when it is no longer published.
    pub retires_at: Option<i64>,
}

/// No relation is followed by the ORM.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Every key that is still kept, the oldest first.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Model>, StorageError> {
    Entity::find().order_by_asc(Column::ActivatesAt).all(db).await
}

/// Enters a key.
pub async fn add(db: &impl ConnectionTrait, key: Model) -> Result<(), StorageError> {
    let key = ActiveModel {
        kid: Set(key.kid),
        algorithm: Set(key.algorithm),
        sealed_private_jwk: Set(key.sealed_private_jwk),
        activates_at: Set(key.activates_at),
        retires_at: Set(key.retires_at),
    };
    key.insert(db).await.map(|_| ())
}
