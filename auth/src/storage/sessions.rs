//! Browsers that are signed in.

use sea_orm::{
    ConnectionTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, entity::prelude::*,
    sea_query::Expr,
};
use uuid::Uuid;

use super::{StorageError, logout_deliveries, users};

/// Signed-in browsers of one user.
const MAX_SESSIONS: u64 = 100;

/// A signed-in browser. Its cookie is stored as a hash.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// Hash of the cookie's value.
    #[sea_orm(primary_key, auto_increment = false)]
    pub token_hash: String,
    /// Who is signed in.
    pub user_id: Uuid,
    /// When the user authenticated: `auth_time` in tokens.
    pub authenticated_at: i64,
    /// When the session expires.
    pub expires_at: i64,
    /// The public id of the session: `sid` in tokens, and on the account page.
    pub id: Uuid,
    /// The browser, as in "Firefox on Linux"; empty if it did not say.
    pub device: String,
    /// The network it was in when it signed in, never the whole address.
    pub network: String,
    /// When it was last used, accurate to five minutes.
    pub last_seen_at: i64,
}

without_relations!();

/// Opens a session. If the user has too many, the least recently used one ends.
pub async fn open(db: &impl ConnectionTrait, session: Model) -> Result<(), StorageError> {
    let user_id = session.user_id;
    let now = session.last_seen_at;
    session.into_active_model().insert(db).await?;
    let too_many = live_of_user(user_id, now).offset(MAX_SESSIONS).limit(MAX_SESSIONS);
    end_each(db, too_many.all(db).await?).await.map(|_| ())
}

/// The live sessions of a user, the most recently used first.
fn live_of_user(user_id: Uuid, now: i64) -> Select<Entity> {
    Entity::find()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::ExpiresAt.gt(now))
        .order_by_desc(Column::LastSeenAt)
        .order_by_desc(Column::AuthenticatedAt)
}

/// The live session of a cookie, and its user.
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

/// Ends a session and queues the messages to its clients.
pub(crate) async fn close(db: &impl ConnectionTrait, token_hash: &str) -> Result<(), StorageError> {
    let session = Entity::find_by_id(token_hash.to_owned()).one(db).await?;
    end_each(db, session.into_iter().collect()).await.map(|_| ())
}

/// Removes a cookie whose session continues under another.
pub(crate) async fn replace(
    db: &impl ConnectionTrait,
    token_hash: &str,
) -> Result<(), StorageError> {
    Entity::delete_by_id(token_hash.to_owned()).exec(db).await.map(|_| ())
}

async fn end_each(db: &impl ConnectionTrait, ended: Vec<Model>) -> Result<u64, StorageError> {
    if ended.is_empty() {
        return Ok(0);
    }
    for session in &ended {
        logout_deliveries::enqueue(db, session.user_id, session.id).await?;
    }
    let hashes = ended.into_iter().map(|session| session.token_hash);
    let outcome = Entity::delete_many().filter(Column::TokenHash.is_in(hashes)).exec(db).await?;
    Ok(outcome.rows_affected)
}

/// Records that a session is in use.
pub async fn touch(
    db: &impl ConnectionTrait,
    token_hash: &str,
    now: i64,
) -> Result<(), StorageError> {
    Entity::update_many()
        .col_expr(Column::LastSeenAt, Expr::value(now))
        .filter(Column::TokenHash.eq(token_hash))
        .exec(db)
        .await
        .map(|_| ())
}

/// The live sessions of a user, the most recently used first.
pub async fn of_user(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    now: i64,
) -> Result<Vec<Model>, StorageError> {
    live_of_user(user_id, now).all(db).await
}

/// Ends one session of a user; `false` if they have none of this id.
pub async fn close_of_user(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    id: Uuid,
) -> Result<bool, StorageError> {
    let own = Entity::find().filter(Column::UserId.eq(user_id)).filter(Column::Id.eq(id));
    Ok(end_each(db, own.all(db).await?).await? == 1)
}

/// Ends every session of a user but one, and returns how many that were.
pub async fn close_others_of_user(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    kept: Uuid,
) -> Result<u64, StorageError> {
    let others = Entity::find().filter(Column::UserId.eq(user_id)).filter(Column::Id.ne(kept));
    end_each(db, others.all(db).await?).await
}

/// Ends every session of a user, and returns how many that were.
pub async fn close_all_of_user(
    db: &impl ConnectionTrait,
    user_id: Uuid,
) -> Result<u64, StorageError> {
    let all = Entity::find().filter(Column::UserId.eq(user_id)).all(db).await?;
    end_each(db, all).await
}
