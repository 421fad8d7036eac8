//! Browsers that are signed in.

use sea_orm::{ActiveValue::Set, ConnectionTrait, entity::prelude::*};
use uuid::Uuid;

use super::{StorageError, users};

/// A signed-in browser. Its cookie is known as a hash only.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// Hash of the cookie's value.
    #[sea_orm(primary_key, auto_increment = false)]
    pub token_hash: String,
    /// The person.
    pub user_id: Uuid,
    /// When the person proved who they are; `auth_time` in tokens.
    pub authenticated_at: i64,
    /// When the browser is signed out by itself.
    pub expires_at: i64,
}

/// No relation is followed by the ORM.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Opens a session.
pub async fn open(db: &impl ConnectionTrait, session: Model) -> Result<(), StorageError> {
    let session = ActiveModel {
        token_hash: Set(session.token_hash),
        user_id: Set(session.user_id),
        authenticated_at: Set(session.authenticated_at),
        expires_at: Set(session.expires_at),
    };
    session.insert(db).await.map(|_| ())
}

/// The live session of a cookie, and its person.
pub async fn find(
    db: &impl ConnectionTrait,
    token_hash: &str,
    now: i64,
) -> Result<Option<(Model, users::Model)>, StorageError> {
    let live = Entity::find_by_id(token_hash.to_owned()).filter(Column::ExpiresAt.gt(now));
    let Some(session) = live.one(db).await? else {
        return Ok(None);
    };
    let user = users::find(db, session.user_id).await?;
    Ok(user.map(|user| (session, user)))
}

/// Ends a session.
pub async fn close(db: &impl ConnectionTrait, token_hash: &str) -> Result<(), StorageError> {
    Entity::delete_by_id(token_hash.to_owned()).exec(db).await.map(|_| ())
}
