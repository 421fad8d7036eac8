//! Opaque access tokens, for the resources that ask for them.

use sea_orm::{ActiveValue::Set, ConnectionTrait, entity::prelude::*};
use uuid::Uuid;

use super::StorageError;

/// An opaque access token, known as a hash.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "opaque_tokens")]
pub struct Model {
    /// Hash of the token.
    #[sea_orm(primary_key, auto_increment = false)]
    pub token_hash: String,
    /// The grant it came of.
    pub grant_id: Uuid,
    /// What it allows.
    pub scope: String,
    /// When it was issued.
    pub issued_at: i64,
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
        grant_id: Set(token.grant_id),
        scope: Set(token.scope),
        issued_at: Set(token.issued_at),
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
