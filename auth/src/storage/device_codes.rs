//! Requests of devices that wait for a person (RFC 8628): each is answered once and redeemed once.

use sea_orm::{
    ConnectionTrait, IntoActiveModel, PaginatorTrait, QueryFilter, entity::prelude::*,
    sea_query::Expr,
};
use uuid::Uuid;

use super::StorageError;

/// A device's request. The device code is known as a hash; the user code stands as it is typed,
/// without its hyphen.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "device_codes")]
pub struct Model {
    /// Hash of the device code.
    #[sea_orm(primary_key, auto_increment = false)]
    pub device_code_hash: String,
    /// What the person types.
    pub user_code: String,
    /// Who asks.
    pub client_id: String,
    /// What for.
    pub resource: String,
    /// How much.
    pub scope: String,
    /// The network that the device asked from; may be empty.
    pub network: String,
    /// When it asked.
    pub created_at: i64,
    /// Until when it may be answered and redeemed.
    pub expires_at: i64,
    /// Seconds that it must wait between two polls.
    pub interval: i64,
    /// From when on it may poll again.
    pub next_poll_at: i64,
    /// What the person allowed, once they did.
    pub grant_id: Option<Uuid>,
    /// When the person answered. Without a grant, the answer was no.
    pub answered_at: Option<i64>,
    /// When the tokens were fetched.
    pub redeemed_at: Option<i64>,
}

/// No relation is followed by the ORM.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Enters a request.
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

/// Finds the request that a person typed the code of, while it waits for an answer.
pub async fn find_waiting(
    db: &impl ConnectionTrait,
    user_code: &str,
    now: i64,
) -> Result<Option<Model>, StorageError> {
    Entity::find()
        .filter(Column::UserCode.eq(user_code))
        .filter(Column::AnsweredAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .one(db)
        .await
}

/// How many wait for an answer.
pub async fn waiting(db: &impl ConnectionTrait, now: i64) -> Result<u64, StorageError> {
    Entity::find()
        .filter(Column::ExpiresAt.gt(now))
        .filter(Column::AnsweredAt.is_null())
        .count(db)
        .await
}

/// Answers a request: yes with a grant, no without. Of any number of answers, one counts and is
/// told `true`.
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

/// Notes a poll. From now on the device must wait `interval` seconds before the next.
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

/// Redeems an allowed request: of any number of callers, on any replica, one is told `true`.
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
