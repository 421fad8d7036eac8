//! What happened to an account, for the user who owns it: the newest hundred events.

use sea_orm::{
    ConnectionTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, entity::prelude::*,
};
use uuid::Uuid;

use super::StorageError;
use crate::string_enum::string_enum;

/// Maximum events kept for one user, so that one user cannot fill the table.
const MAX_EVENTS: u64 = 100;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "security_events")]
pub struct Model {
    /// Grows with time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The user who owns the account.
    pub user_id: Uuid,
    /// What happened: the name of an [`EventKind`].
    pub kind: String,
    /// The name of the client or provider that it was about; may be empty.
    pub subject: String,
    /// The browser that did it; may be empty.
    pub device: String,
    /// The network it was in; may be empty.
    pub network: String,
    /// When it happened.
    pub occurred_at: i64,
}

without_relations!();

string_enum! {
    /// What can happen to an account.
    pub enum EventKind {
        /// A browser was signed in.
        SignedIn = "signed_in",
        /// A browser was signed out.
        SignedOut = "signed_out",
        /// Every browser but one was signed out.
        SignedOutElsewhere = "signed_out_elsewhere",
        /// A client was allowed something.
        AccessAllowed = "access_allowed",
        /// A device was allowed something.
        DeviceAllowed = "device_allowed",
        /// A client was refused.
        AccessDenied = "access_denied",
        /// The access of a client was revoked.
        AccessRemoved = "access_removed",
        /// A token or code was used twice, so its grant was revoked.
        TokenReplayed = "token_replayed",
        /// A further identity was linked.
        IdentityLinked = "identity_linked",
        /// An identity was unlinked.
        IdentityUnlinked = "identity_unlinked",
        /// The user downloaded their data.
        DataExported = "data_exported",
    }
}

/// Stores an event, and removes all but the newest hundred of the same user.
pub(crate) async fn record(db: &impl ConnectionTrait, event: Model) -> Result<(), StorageError> {
    let user_id = event.user_id;
    event.into_active_model().insert(db).await?;
    let oldest_kept = Entity::find()
        .filter(Column::UserId.eq(user_id))
        .order_by_desc(Column::Id)
        .offset(MAX_EVENTS - 1)
        .limit(1)
        .one(db)
        .await?;
    let Some(oldest_kept) = oldest_kept else {
        return Ok(());
    };
    Entity::delete_many()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::Id.lt(oldest_kept.id))
        .exec(db)
        .await
        .map(|_| ())
}

/// The events of a user, the newest first.
pub async fn of_user(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    most: u64,
) -> Result<Vec<Model>, StorageError> {
    Entity::find()
        .filter(Column::UserId.eq(user_id))
        .order_by_desc(Column::Id)
        .limit(most)
        .all(db)
        .await
}

/// Removes the events of a user.
pub async fn forget_user(db: &impl ConnectionTrait, user_id: Uuid) -> Result<(), StorageError> {
    Entity::delete_many().filter(Column::UserId.eq(user_id)).exec(db).await.map(|_| ())
}
