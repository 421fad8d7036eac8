//! What happened to an account, for the user who owns it: the newest hundred events.

use sea_orm::{
    Condition, ConnectionTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    entity::prelude::*,
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
    /// The user who owns the account; the nil UUID where no account is concerned.
    pub user_id: Uuid,
    /// What happened: the name of an [`EventKind`].
    pub kind: String,
    /// The name of the client or provider that it was about; may be empty.
    pub subject: String,
    /// The browser that did it; may be empty.
    pub device: String,
    /// The network it was in; may be empty.
    pub network: String,
    /// Who did it, if not the user: `operator`, with a name if there is one, `access policy`
    /// or `scim`.
    pub actor: String,
    /// The rule that decided, where one did.
    pub rule: String,
    /// When it happened.
    pub occurred_at: i64,
}

without_relations!();

impl Model {
    /// An event that the user caused, without a browser that is known.
    pub(crate) fn new(user_id: Uuid, kind: EventKind, now: i64) -> Self {
        Self {
            id: Uuid::now_v7(),
            user_id,
            kind: kind.as_str().into(),
            subject: String::new(),
            device: String::new(),
            network: String::new(),
            actor: String::new(),
            rule: String::new(),
            occurred_at: now,
        }
    }
}

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
        /// An operator or the provisioning system disabled the account.
        AccountDisabled = "account_disabled",
        /// An operator or the provisioning system enabled the account again.
        AccountEnabled = "account_enabled",
        /// An operator deleted the account.
        AccountDeleted = "account_deleted",
        /// An operator signed out every browser and program.
        SignedOutByOperator = "signed_out_by_operator",
        /// An operator revoked the access of a client.
        AccessRemovedByOperator = "access_removed_by_operator",
        /// An operator blocked a client. The event belongs to no user.
        ClientBlocked = "client_blocked",
        /// An operator let a blocked client come back.
        ClientUnblocked = "client_unblocked",
        /// The user was not let in.
        KeptOut = "kept_out",
        /// The access policy no longer lets the user in.
        AccessEnded = "access_ended",
        /// The provisioning system created the user's record.
        Provisioned = "provisioned",
        /// The provisioning system changed the user's record.
        ProvisioningChanged = "provisioning_changed",
        /// The provisioning system deleted the user's record.
        Deprovisioned = "deprovisioned",
        /// The provisioning system created a group.
        GroupProvisioned = "group_provisioned",
        /// The provisioning system changed a group.
        GroupChanged = "group_changed",
        /// The provisioning system deleted a group.
        GroupRemoved = "group_removed",
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

/// Which events [`find`] returns; what is `None` leaves none out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) user_id: Option<Uuid>,
    pub(crate) kind: Option<EventKind>,
    pub(crate) since: Option<i64>,
    /// Only what someone other than the user did.
    pub(crate) by_others: bool,
}

/// Events of all users, the newest first.
pub(crate) async fn find(
    db: &impl ConnectionTrait,
    filter: Filter,
    limit: u64,
) -> Result<Vec<Model>, StorageError> {
    let kind = filter.kind.map(EventKind::as_str);
    let others = filter.by_others.then(|| Column::Actor.ne(""));
    let which = Condition::all()
        .add_option(filter.user_id.map(|id| Column::UserId.eq(id)))
        .add_option(kind.map(|kind| Column::Kind.eq(kind)))
        .add_option(filter.since.map(|since| Column::OccurredAt.gte(since)))
        .add_option(others);
    let newest = Entity::find().filter(which).order_by_desc(Column::OccurredAt);
    newest.order_by_desc(Column::Id).limit(limit).all(db).await
}

/// Removes the events of a user.
pub async fn forget_user(db: &impl ConnectionTrait, user_id: Uuid) -> Result<(), StorageError> {
    Entity::delete_many().filter(Column::UserId.eq(user_id)).exec(db).await.map(|_| ())
}
