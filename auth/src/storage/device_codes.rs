//! Requests of devices that wait for a user (RFC 8628). Each is answered once and redeemed once.

use sea_orm::{
    ConnectionTrait, IntoActiveModel, PaginatorTrait, QueryFilter, entity::prelude::*,
    sea_query::Expr,
};
use uuid::Uuid;

use super::StorageError;

/// A device's request. The device code is stored as a hash, the user code as it is typed but without
/// its hyphen.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "device_codes")]
pub struct Model {
    /// Hash of the device code.
    #[sea_orm(primary_key, auto_increment = false)]
    pub device_code_hash: String,
    /// What the user types.
    pub user_code: String,
    /// The client that asks.
    pub client_id: String,
    /// The resource that it asks for.
    pub resource: String,
    /// The scopes that it asks for.
    pub scope: String,
    /// The network that the device asked from; may be empty.
    pub network: String,
    /// When the device asked.
    pub created_at: i64,
    /// When it can no longer be answered or redeemed.
    pub expires_at: i64,
    /// Seconds that the device must wait between two polls.
    pub interval: i64,
    /// When the device may poll again.
    pub next_poll_at: i64,
    /// The grant, once the user allowed it.
    pub grant_id: Option<Uuid>,
    /// When the user answered. Without a grant, the answer was no.
    pub answered_at: Option<i64>,
    /// When the tokens were fetched.
    pub redeemed_at: Option<i64>,
}

without_relations!();

/// Stores a request.
pub async fn issue(db: &impl ConnectionTrait, request: Model) -> Result<(), StorageError> {
    request.into_active_model().insert(db).await.map(|_| ())
}

/// Finds the request of a device.
pub async fn find(
    db: &impl ConnectionTrait,
    device_code_hash: &str,
) -> Result<Option<Model>, StorageError> {
    Entity::find_by_id(device_code_hash.to_owned()).one(db).await
}

/// The requests that wait for an answer.
fn waiting_at(now: i64) -> Select<Entity> {
    Entity::find().filter(Column::AnsweredAt.is_null()).filter(Column::ExpiresAt.gt(now))
}

/// Finds the waiting request with a user code.
pub async fn find_waiting(
    db: &impl ConnectionTrait,
    user_code: &str,
    now: i64,
) -> Result<Option<Model>, StorageError> {
    waiting_at(now).filter(Column::UserCode.eq(user_code)).one(db).await
}

/// How many requests wait for an answer.
pub(crate) async fn waiting(db: &impl ConnectionTrait, now: i64) -> Result<u64, StorageError> {
    waiting_at(now).count(db).await
}

/// Answers a request: yes with a grant, no without. Exactly one caller gets `true`, and only its answer
/// counts.
pub async fn answer(
    db: &impl ConnectionTrait,
    device_code_hash: &str,
    grant_id: Option<Uuid>,
    now: i64,
) -> Result<bool, StorageError> {
    let outcome = Entity::update_many()
        .col_expr(Column::GrantId, Expr::value(grant_id))
        .col_expr(Column::AnsweredAt, Expr::value(now))
        .filter(Column::DeviceCodeHash.eq(device_code_hash))
        .filter(Column::AnsweredAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec(db)
        .await?;
    Ok(outcome.rows_affected == 1)
}

/// Records a poll. The device must wait `interval` seconds before the next.
pub async fn note_poll(
    db: &impl ConnectionTrait,
    device_code_hash: &str,
    interval: i64,
    now: i64,
) -> Result<(), StorageError> {
    Entity::update_many()
        .col_expr(Column::Interval, Expr::value(interval))
        .col_expr(Column::NextPollAt, Expr::value(now.saturating_add(interval)))
        .filter(Column::DeviceCodeHash.eq(device_code_hash))
        .exec(db)
        .await
        .map(|_| ())
}

/// Redeems an allowed request. Exactly one caller on any replica gets `true`.
pub async fn redeem(
    db: &impl ConnectionTrait,
    device_code_hash: &str,
    now: i64,
) -> Result<bool, StorageError> {
    let outcome = Entity::update_many()
        .col_expr(Column::RedeemedAt, Expr::value(now))
        .filter(Column::DeviceCodeHash.eq(device_code_hash))
        .filter(Column::GrantId.is_not_null())
        .filter(Column::RedeemedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec(db)
        .await?;
    Ok(outcome.rows_affected == 1)
}
