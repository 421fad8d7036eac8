//! Who a user is at an upstream.

use sea_orm::{
    ConnectionTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use uuid::Uuid;

use super::{
    Database, StorageError,
    users::{self, Profile},
};
use crate::oauth::foreign_text::UpstreamSubject;

/// An identity of a user.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "identities")]
pub struct Model {
    /// Name of the upstream, such as `github`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider: String,
    /// The upstream's own immutable identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: String,
    /// The user who signs in with it.
    pub user_id: Uuid,
    /// When it was first used.
    pub created_at: i64,
    /// What the upstream is asked with about the user while they are away, sealed.
    pub credential: Option<String>,
    /// When it is asked next.
    pub recheck_at: Option<i64>,
}

without_relations!();

impl Model {
    /// An identity that is used for the first time.
    pub fn new(provider: &str, subject: &str, user_id: Uuid, now: i64) -> Self {
        Self {
            provider: provider.into(),
            subject: subject.into(),
            user_id,
            created_at: now,
            credential: None,
            recheck_at: None,
        }
    }
}

/// The user with an upstream's identifier: created at the first sign-in, brought up to date at each later
/// one.
pub async fn sign_in(
    db: &Database,
    provider: &str,
    subject: &UpstreamSubject,
    profile: Profile,
    now: i64,
) -> Result<users::Model, StorageError> {
    loop {
        let transaction = db.begin().await?;
        if let Some(known) = find(&transaction, provider, subject.as_str()).await? {
            let user = users::refresh(&transaction, known.user_id, profile, now).await?;
            transaction.commit().await?;
            return Ok(user);
        }
        let user = users::create(&transaction, profile.clone(), now).await?;
        let identity = Model::new(provider, subject.as_str(), user.id, now);
        if enter(&transaction, identity).await? {
            transaction.commit().await?;
            return Ok(user);
        }
        // The user signs in twice at once, and the other sign-in has created the account.
        transaction.rollback().await?;
    }
}

/// Stores an identity, unless it belongs to someone. Exactly one caller on any replica gets `true`.
async fn enter(db: &impl ConnectionTrait, identity: Model) -> Result<bool, StorageError> {
    let key = [Column::Provider, Column::Subject];
    let entered = Entity::insert(identity.into_active_model())
        .on_conflict(OnConflict::columns(key).do_nothing().to_owned())
        .exec_without_returning(db)
        .await?;
    Ok(entered == 1)
}

/// The outcome of [`link`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linked {
    /// It was linked.
    Now,
    /// It was linked before.
    Before,
    /// Another user signs in with it.
    ToSomebodyElse,
}

/// Links a further identity to a user, unless it belongs to another one.
pub async fn link(db: &impl ConnectionTrait, identity: Model) -> Result<Linked, StorageError> {
    if enter(db, identity.clone()).await? {
        return Ok(Linked::Now);
    }
    let known = find(db, &identity.provider, &identity.subject).await?;
    if known.is_some_and(|known| known.user_id == identity.user_id) {
        return Ok(Linked::Before);
    }
    Ok(Linked::ToSomebodyElse)
}

/// Finds an identity.
pub async fn find(
    db: &impl ConnectionTrait,
    provider: &str,
    subject: &str,
) -> Result<Option<Model>, StorageError> {
    Entity::find_by_id((provider.to_owned(), subject.to_owned())).one(db).await
}

/// Keeps what the upstream is asked with about the user, and when, or drops both.
pub(crate) async fn keep_credential(
    db: &impl ConnectionTrait,
    identity: &Model,
    credential: Option<String>,
    recheck_at: Option<i64>,
) -> Result<(), StorageError> {
    Entity::update_many()
        .col_expr(Column::Credential, Expr::value(credential))
        .col_expr(Column::RecheckAt, Expr::value(recheck_at))
        .filter(is(identity))
        .exec(db)
        .await
        .map(|_| ())
}

fn is(identity: &Model) -> Expr {
    let subject = Column::Subject.eq(identity.subject.as_str());
    Column::Provider.eq(identity.provider.as_str()).and(subject)
}

/// Drops the credentials of all upstreams but these.
pub(crate) async fn drop_credentials_except(
    db: &impl ConnectionTrait,
    providers: &[&str],
) -> Result<(), StorageError> {
    Entity::update_many()
        .col_expr(Column::Credential, Expr::value(None::<String>))
        .col_expr(Column::RecheckAt, Expr::value(None::<i64>))
        .filter(Column::RecheckAt.is_not_null())
        .filter(Column::Provider.is_not_in(providers.iter().copied()))
        .exec(db)
        .await
        .map(|_| ())
}

/// The identities whose upstream is to be asked again, the longest due first.
pub async fn due(
    db: &impl ConnectionTrait,
    now: i64,
    limit: u64,
) -> Result<Vec<Model>, StorageError> {
    let due = Entity::find().filter(Column::RecheckAt.lte(now)).order_by_asc(Column::RecheckAt);
    due.limit(limit).all(db).await
}

/// Takes an identity that is due, until `until`. Exactly one caller on any replica gets `true`.
pub async fn take(
    db: &impl ConnectionTrait,
    identity: &Model,
    until: i64,
) -> Result<bool, StorageError> {
    let taken = Entity::update_many()
        .col_expr(Column::RecheckAt, Expr::value(until))
        .filter(is(identity))
        .filter(Column::RecheckAt.eq(identity.recheck_at))
        .exec(db)
        .await?;
    Ok(taken.rows_affected == 1)
}

/// The identities of a user, the oldest first.
pub async fn of_user(db: &impl ConnectionTrait, user_id: Uuid) -> Result<Vec<Model>, StorageError> {
    Entity::find().filter(Column::UserId.eq(user_id)).order_by_asc(Column::CreatedAt).all(db).await
}

/// The same, by provider, locked until the transaction ends: of two requests that each want to remove
/// one, the second sees what the first has left.
pub async fn hold_of_user(
    db: &impl ConnectionTrait,
    user_id: Uuid,
) -> Result<Vec<Model>, StorageError> {
    // Always in the same order, so that two transactions cannot deadlock.
    let all = Entity::find().filter(Column::UserId.eq(user_id)).order_by_asc(Column::Provider);
    all.order_by_asc(Column::Subject).lock_exclusive().all(db).await
}

/// Removes an identity.
pub(crate) async fn unlink(
    db: &impl ConnectionTrait,
    identity: &Model,
) -> Result<(), StorageError> {
    let key = (identity.provider.clone(), identity.subject.clone());
    Entity::delete_by_id(key).exec(db).await.map(|_| ())
}

/// Removes all identities of a user.
pub async fn forget_user(db: &impl ConnectionTrait, user_id: Uuid) -> Result<(), StorageError> {
    Entity::delete_many().filter(Column::UserId.eq(user_id)).exec(db).await.map(|_| ())
}
