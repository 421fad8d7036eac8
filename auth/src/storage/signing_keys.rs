//! Signing keys, each private half sealed under a master secret.

use sea_orm::{
    ConnectionTrait, IntoActiveModel, QueryFilter, QueryOrder, entity::prelude::*, sea_query::Expr,
};

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
    /// When it starts to sign.
    pub activates_at: i64,
    /// When it stops being published.
    pub retires_at: Option<i64>,
}

without_relations!();

/// Every stored key, the oldest first.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Model>, StorageError> {
    Entity::find().order_by_asc(Column::ActivatesAt).all(db).await
}

pub(crate) async fn add(db: &impl ConnectionTrait, key: Model) -> Result<(), StorageError> {
    key.into_active_model().insert(db).await.map(|_| ())
}

/// Sets when a key stops being published.
pub(crate) async fn retire(
    db: &impl ConnectionTrait,
    kid: &str,
    at: i64,
) -> Result<(), StorageError> {
    Entity::update_many()
        .col_expr(Column::RetiresAt, Expr::value(at))
        .filter(Column::Kid.eq(kid))
        .exec(db)
        .await
        .map(|_| ())
}

/// Replaces the seal of a private key.
pub(crate) async fn reseal(
    db: &impl ConnectionTrait,
    kid: &str,
    sealed_private_jwk: String,
) -> Result<(), StorageError> {
    Entity::update_many()
        .col_expr(Column::SealedPrivateJwk, Expr::value(sealed_private_jwk))
        .filter(Column::Kid.eq(kid))
        .exec(db)
        .await
        .map(|_| ())
}
