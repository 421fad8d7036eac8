//! Removes unused grants: those that ended long ago, and those that an installation
//! left behind when it signed in again.

use sea_orm::{
    ConnectionTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait, LockBehavior, LockType, Query},
};
use uuid::Uuid;

use super::{
    super::{StorageError, consents},
    Column, Entity, KEPT_AFTER_END, Model,
};

/// Seconds until the clean-up looks again at a grant that goes on.
const REVIEW_INTERVAL: i64 = 86_400;
/// Grants of one user, client and resource whose refresh token was never used.
const MAX_UNUSED_GRANTS: usize = 10;
/// Grants that one sign-in searches for those.
const MAX_UNUSED_COMPARED: u64 = 200;

/// The part of a grant that says when it ended.
#[derive(Debug, FromQueryResult)]
struct Ending {
    id: Uuid,
    created_at: i64,
    expires_at: i64,
    revoked_at: Option<i64>,
    refresh_expires_at: i64,
}

impl Ending {
    /// Whether it ended long ago: by its age, by revocation, or because no token of it was left.
    fn is_over(&self, now: i64) -> bool {
        let limit = now.saturating_sub(KEPT_AFTER_END);
        let last_token_at = Ord::max(self.refresh_expires_at, self.created_at);
        self.expires_at <= limit
            || last_token_at <= limit
            || self.revoked_at.is_some_and(|at| at <= limit)
    }
}

/// Reviews a batch of due grants and removes those that ended long ago. Returns how many were removed
/// and whether there may be more. Rows that others have locked are left for another time.
pub(in crate::storage) async fn forget_ended(
    db: &impl ConnectionTrait,
    batch: u64,
    now: i64,
) -> Result<(u64, bool), StorageError> {
    let due = Entity::find()
        .select_only()
        .columns([Column::Id, Column::CreatedAt, Column::ExpiresAt])
        .columns([Column::RevokedAt, Column::RefreshExpiresAt])
        .filter(Column::ReviewAt.lte(now))
        .order_by_asc(Column::ReviewAt)
        .limit(batch)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_model::<Ending>()
        .all(db)
        .await?;
    let may_be_more = due.len() as u64 == batch;
    let (over, live): (Vec<_>, Vec<_>) = due.iter().partition(|grant| grant.is_over(now));
    let removed = forget(db, over.iter().map(|grant| grant.id).collect()).await?;
    if !live.is_empty() {
        Entity::update_many()
            .col_expr(Column::ReviewAt, Expr::value(now.saturating_add(REVIEW_INTERVAL)))
            .filter(Column::Id.is_in(live.iter().map(|grant| grant.id)))
            .exec(db)
            .await?;
    }
    Ok((removed, may_be_more))
}

/// Removes grants that an installation left behind when it signed in again. `new` is its new grant, and
/// `key_thumbprint` the key that its refresh tokens are bound to. A grant that was made before `made_before` and never refreshed has no live access token `now`.
///
/// One `client_id` may be many installations: that of a metadata document is the same on every
/// machine, and one browser may sign several of them in. The refresh token of a grant that was
/// never refreshed may be all that another installation has, so a grant goes only if
///
/// - its refresh token is bound to the key of the new one: that is the same installation, or
/// - ten newer ones of this user, client and resource were never refreshed either.
///
/// A grant whose refresh token was used is not touched; nor is one of another session that lasts,
/// because its client is told when that session ends.
pub async fn forget_superseded(
    db: &impl ConnectionTrait,
    new: &Model,
    key_thumbprint: Option<&str>,
    made_before: i64,
    now: i64,
) -> Result<u64, StorageError> {
    // By name: the room of sessions builds on this one.
    let session = |column: &'static str| Expr::col(("sessions", column));
    let live_sessions = Query::select()
        .expr(Expr::val(1))
        .from("sessions")
        .and_where(session("user_id").eq(new.user_id))
        .and_where(session("id").equals((Entity, Column::SessionId)))
        .and_where(session("expires_at").gt(now))
        .to_owned();
    let is_told_by_new = Column::SessionId.eq(new.session_id);
    let unused: Vec<(Uuid, Option<String>)> = Entity::find()
        .select_only()
        .columns([Column::Id, Column::KeyThumbprint])
        .filter(Column::UserId.eq(new.user_id))
        .filter(Column::ClientId.eq(&*new.client_id))
        .filter(Column::Resource.eq(&*new.resource))
        .filter(Column::RefreshGeneration.eq(0))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::CreatedAt.lte(made_before))
        .filter(Column::Id.ne(new.id))
        .filter(is_told_by_new.or(Expr::exists(live_sessions).not()))
        .order_by_desc(Column::Id)
        .limit(MAX_UNUSED_COMPARED)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_tuple()
        .all(db)
        .await?;
    let is_same_installation =
        |key: &Option<String>| key.is_some() && key.as_deref() == key_thumbprint;
    let superseded = unused
        .into_iter()
        .enumerate()
        .filter(|(newer, (_, key))| *newer >= MAX_UNUSED_GRANTS || is_same_installation(key));
    forget(db, superseded.map(|(_, (id, _))| id).collect()).await
}

/// Removes grants and the consents that led to them.
async fn forget(db: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<u64, StorageError> {
    if ids.is_empty() {
        return Ok(0);
    }
    consents::forget(db, &ids).await?;
    let outcome = Entity::delete_many().filter(Column::Id.is_in(ids)).exec(db).await?;
    Ok(outcome.rows_affected)
}
