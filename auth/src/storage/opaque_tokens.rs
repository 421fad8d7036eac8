//! Opaque access tokens, for the resources that ask for them.

use sea_orm::{ConnectionTrait, IntoActiveModel, entity::prelude::*};

use super::StorageError;

/// An opaque access token, known as a hash.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "opaque_tokens")]
pub struct Model {
    /// Hash of the token.
    #[sea_orm(primary_key, auto_increment = false)]
    pub token_hash: String,
    /// The claims as JSON: those of a signed token.
    pub claims: String,
    /// When it expires.
    pub expires_at: i64,
}

without_relations!();

pub(crate) async fn issue(db: &impl ConnectionTrait, token: Model) -> Result<(), StorageError> {
    token.into_active_model().insert(db).await.map(|_| ())
}

/// Finds a token.
pub async fn find(
    db: &impl ConnectionTrait,
    token_hash: &str,
) -> Result<Option<Model>, StorageError> {
    Entity::find_by_id(token_hash.to_owned()).one(db).await
}

pub(crate) async fn revoke(
    db: &impl ConnectionTrait,
    token_hash: &str,
) -> Result<(), StorageError> {
    Entity::delete_by_id(token_hash.to_owned()).exec(db).await.map(|_| ())
}
