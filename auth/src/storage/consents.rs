//! Where a user was when they allowed a grant. Kept as long as the grant.

use sea_orm::{ConnectionTrait, IntoActiveModel, entity::prelude::*};
use uuid::Uuid;

use super::StorageError;

/// The consent that led to a grant.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "consents")]
pub struct Model {
    /// The grant that it led to.
    #[sea_orm(primary_key, auto_increment = false)]
    pub grant_id: Uuid,
    /// Who consented.
    pub user_id: Uuid,
    /// Where the authorization response went; empty for a device.
    pub redirect_uri: String,
    /// The browser, as in "Firefox on Linux"; empty if it did not say.
    pub device: String,
    /// The network it was in, never the whole address.
    pub network: String,
    /// The scopes that the client asked for; the grant may have fewer.
    pub asked_scope: String,
}

without_relations!();

/// Stores a consent, in the transaction that stores its grant.
pub(crate) async fn record(db: &impl ConnectionTrait, consent: Model) -> Result<(), StorageError> {
    consent.into_active_model().insert(db).await.map(|_| ())
}

/// The consent that led to a grant.
pub async fn find(
    db: &impl ConnectionTrait,
    grant_id: Uuid,
) -> Result<Option<Model>, StorageError> {
    Entity::find_by_id(grant_id).one(db).await
}

/// The consents that led to these grants.
pub(crate) async fn of_grants(
    db: &impl ConnectionTrait,
    grant_ids: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<Model>, StorageError> {
    Entity::find().filter(Column::GrantId.is_in(grant_ids)).all(db).await
}

/// The consents of a user.
pub async fn of_user(db: &impl ConnectionTrait, user_id: Uuid) -> Result<Vec<Model>, StorageError> {
    Entity::find().filter(Column::UserId.eq(user_id)).all(db).await
}

/// Removes the consents of a user.
pub async fn forget_user(db: &impl ConnectionTrait, user_id: Uuid) -> Result<(), StorageError> {
    Entity::delete_many().filter(Column::UserId.eq(user_id)).exec(db).await.map(|_| ())
}

/// Removes the consents that led to these grants.
pub(super) async fn forget(
    db: &impl ConnectionTrait,
    grant_ids: &[Uuid],
) -> Result<(), StorageError> {
    let of_grants = Column::GrantId.is_in(grant_ids.iter().copied());
    Entity::delete_many().filter(of_grants).exec(db).await.map(|_| ())
}
