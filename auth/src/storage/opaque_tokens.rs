//! Opaque access tokens, for the resources that ask for them.

use super::StorageError;
use sea_orm::{ActiveValue::Set, ConnectionTrait, entity::prelude::*};

/// An opaque access token, known as a hash.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "opaque_tokens")]
pub struct Model {
    /// Hash of the token.
    #[sea_orm(primary_key, auto_increment = false)]
    pub token_hash: String,
    /// The claims that it stands for, as JSON: those of a signed token.
    pub claims: String,
    /// Until when it is good.
    pub expires_at: i64,
}

/// No relation is followed by the ORM.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Enters a token.
pub async fn issue(db: &impl ConnectionTrait, token: Model) -> Result<(), StorageError> {
    let token = ActiveModel {
        token_hash: Set(token.token_hash),
        claims: Set(token.claims),
        expires_at: Set(token.expires_at),
    };
    token.insert(db).await.map(|_| ())
}

/// Finds a token.
pub async fn find(
    db: &impl ConnectionTrait,
    token_hash: &str,
) -> Result<Option<Model>, StorageError> {
    Entity::find_by_id(token_hash.to_owned()).one(db).await
}

/// Forgets a token.
pub async fn revoke(db: &impl ConnectionTrait, token_hash: &str) -> Result<(), StorageError> {
    Entity::delete_by_id(token_hash.to_owned()).exec(db).await.map(|_| ())
}
