//! What happened to an account, for the person who owns it: the newest hundred events.

use sea_orm::{
    ConnectionTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, entity::prelude::*,
};
use uuid::Uuid;

use super::StorageError;

/// Most events kept for one person, so that nobody can fill the table.
const MOST_EVENTS: u64 = 100;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "security_events")]
pub struct Model {
    /// Grows with time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose account.
    pub user_id: Uuid,
    /// What happened: the name of an [`EventKind`].
    pub kind: String,
    /// What it was about: the name of a client or of a provider; may be empty.
    pub subject: String,
    /// The browser that did it; may be empty.
    pub device: String,
    /// The network it was in; may be empty.
    pub network: String,
    /// When.
    pub occurred_at: i64,
}

/// No relation is followed by the ORM.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What can happen to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A browser was signed in.
    SignedIn,
    /// A browser was signed out.
    SignedOut,
    /// Every browser but one was signed out.
    SignedOutElsewhere,
    /// A client was allowed something.
    AccessAllowed,
    /// A device was allowed something.
    DeviceAllowed,
    /// A client was refused.
    AccessDenied,
    /// A client's access was taken back.
    AccessRemoved,
    /// A token or code came twice, so the grant it belonged to was ended.
    TokenReplayed,
    /// A further identity was linked.
    IdentityLinked,
    /// An identity was unlinked.
    IdentityUnlinked,
    /// The person downloaded their data.
    DataExported,
}

impl EventKind {
    /// The name that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignedIn => "signed_in",
            Self::SignedOut => "signed_out",
            Self::SignedOutElsewhere => "signed_out_elsewhere",
            Self::AccessAllowed => "access_allowed",
            Self::DeviceAllowed => "device_allowed",
            Self::AccessDenied => "access_denied",
            Self::AccessRemoved => "access_removed",
            Self::TokenReplayed => "token_replayed",
            Self::IdentityLinked => "identity_linked",
            Self::IdentityUnlinked => "identity_unlinked",
            Self::DataExported => "data_exported",
        }
    }
}

/// Enters an event, and lets go of all but the newest hundred of the same person.
pub async fn record(db: &impl ConnectionTrait, event: Model) -> Result<(), StorageError> {
    let user_id = event.user_id;
    event.into_active_model().insert(db).await?;
    let oldest_kept = Entity::find()
        .filter(Column::UserId.eq(user_id))
        .order_by_desc(Column::Id)
        .offset(MOST_EVENTS - 1)
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

/// The events of a person, the newest first.
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

/// Forgets what happened to a person's account.
pub async fn forget_user(db: &impl ConnectionTrait, user_id: Uuid) -> Result<(), StorageError> {
    Entity::delete_many().filter(Column::UserId.eq(user_id)).exec(db).await.map(|_| ())
}
