//! Clients that an operator has blocked. One that was entered stays entered, for when it is unblocked.

use sea_orm::{
    ConnectionTrait, IntoActiveModel, QueryOrder, entity::prelude::*, sea_query::OnConflict,
};

use super::{Begin, StorageError, find_one, grants, security_events};
use crate::oauth::secret;

const FIND: &str = "SELECT client_id_hash, client_id, client_name, blocked_at FROM blocked_clients \
    WHERE client_id_hash = $1";

/// A blocked client.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "blocked_clients")]
pub struct Model {
    /// Hash of the `client_id`, which may be long.
    #[sea_orm(primary_key, auto_increment = false)]
    pub client_id_hash: String,
    /// `client_id`.
    pub client_id: String,
    /// What it called itself, where that is known.
    pub client_name: String,
    /// When it was blocked.
    pub blocked_at: i64,
}

without_relations!();

/// Whether an operator has blocked the client.
pub(crate) async fn is_blocked(db: &impl ConnectionTrait, id: &str) -> Result<bool, StorageError> {
    let found: Option<Model> = find_one(db, FIND, [secret::hash(id).into()]).await?;
    Ok(found.is_some())
}

/// Every blocked client, the latest first.
pub(crate) async fn all(db: &impl ConnectionTrait) -> Result<Vec<Model>, StorageError> {
    Entity::find().order_by_desc(Column::BlockedAt).all(db).await
}

/// Blocks a client and ends what it was granted. Returns how many grants that were. It must be the last
/// call in a transaction, as [`super::revocations::enter`] requires.
pub(crate) async fn block(
    db: &(impl ConnectionTrait + Begin),
    (client_id, client_name): (&str, &str),
    event: security_events::Model,
) -> Result<u64, StorageError> {
    let now = event.occurred_at;
    let row = Model {
        client_id_hash: secret::hash(client_id),
        client_id: client_id.into(),
        client_name: client_name.into(),
        blocked_at: now,
    };
    let transaction = db.begin().await?;
    let keep = OnConflict::column(Column::ClientIdHash).do_nothing().to_owned();
    Entity::insert(row.into_active_model())
        .on_conflict(keep)
        .exec_without_returning(&transaction)
        .await?;
    security_events::record(&transaction, event).await?;
    let ended = grants::revoke_of_client(&transaction, client_id, now).await?;
    transaction.commit().await?;
    Ok(ended)
}

/// Lets a client come back; `false` if it was not blocked. What it was granted stays ended.
pub(crate) async fn unblock(
    db: &(impl ConnectionTrait + Begin),
    client_id: &str,
    event: security_events::Model,
) -> Result<bool, StorageError> {
    let transaction = db.begin().await?;
    let outcome = Entity::delete_by_id(secret::hash(client_id)).exec(&transaction).await?;
    let was_blocked = outcome.rows_affected == 1;
    if was_blocked {
        security_events::record(&transaction, event).await?;
    }
    transaction.commit().await?;
    Ok(was_blocked)
}
