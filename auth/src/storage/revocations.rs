//! The deny list: recent revocations, numbered in the order in which they happened.

use sea_orm::{
    ConnectionTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, entity::prelude::*,
    sea_query::ExprTrait,
};

use uuid::Uuid;

use super::{StorageError, counters};
use crate::oauth::secret;

/// The counter behind the versions.
const COUNTER: &str = "revocations";
/// Rows of one INSERT.
const BATCH: usize = 500;
/// Prefix of the `kid` in the entry of a key.
const KEY: &str = "kid:";
/// Prefix of the `sub` in the entry of a user who was shut out.
const SUBJECT: &str = "sub:";
/// Prefix of the hash in the entry of a client that was blocked.
const CLIENT: &str = "client:";
/// Seconds for which the clocks of replicas may differ, so that a token that was signed just then counts
/// as earlier.
const CLOCK_LEEWAY: i64 = 5;

/// A revocation.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "revocations")]
pub struct Model {
    /// Its number. A reader who has seen it has seen all before it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i64,
    /// The `jti` of a token, or the id of a grant, key, user or client whose tokens are all revoked.
    pub id: String,
    /// When it was revoked.
    pub revoked_at: i64,
}

without_relations!();

impl Model {
    /// Whether this is a key that was withdrawn.
    pub(crate) fn is_key(&self) -> bool {
        self.id.starts_with(KEY)
    }

    /// For a user or a client who may be let in again: the time from which tokens are good.
    pub(crate) fn before(&self) -> Option<i64> {
        let is_party = self.id.starts_with(SUBJECT) || self.id.starts_with(CLIENT);
        is_party.then(|| self.revoked_at.saturating_add(CLOCK_LEEWAY))
    }
}

/// The entry of a user who was shut out. It ends tokens that came of no grant.
pub(crate) fn subject(user_id: Uuid) -> String {
    format!("{SUBJECT}{user_id}")
}

/// The entry of a client that was blocked. The list is public, so it holds no address.
pub(crate) fn client(client_id: &str) -> String {
    format!("{CLIENT}{}", secret::hash(client_id))
}

/// The entry of a key that was withdrawn.
pub(crate) fn key(kid: &str) -> String {
    format!("{KEY}{kid}")
}

/// Enters what `transaction` revokes. It is the transaction's last statement before the commit:
/// other revocations wait for it, so it must not wait for a row that one of them holds.
pub(crate) async fn enter(
    transaction: &impl ConnectionTrait,
    ids: &[String],
    now: i64,
) -> Result<(), StorageError> {
    let Ok(count) = i64::try_from(ids.len()) else {
        return Ok(());
    };
    if count == 0 {
        return Ok(());
    }
    let first = counters::raise(transaction, COUNTER, count).await? - count + 1;
    let rows: Vec<ActiveModel> = (first..)
        .zip(ids)
        .map(|(version, id)| Model { version, id: id.clone(), revoked_at: now }.into_active_model())
        .collect();
    for batch in rows.chunks(BATCH) {
        Entity::insert_many(batch.to_vec()).exec_without_returning(transaction).await?;
    }
    Ok(())
}

/// The number of the latest revocation.
pub async fn latest(db: &impl ConnectionTrait) -> Result<i64, StorageError> {
    counters::read(db, COUNTER).await
}

/// Revocations after number `after`, the earliest first: those of keys since `keys_since`, all others
/// since `since`.
pub async fn after(
    db: &impl ConnectionTrait,
    after: i64,
    since: i64,
    keys_since: i64,
    limit: u64,
) -> Result<Vec<Model>, StorageError> {
    let is_recent_key = Column::Id.starts_with(KEY).and(Column::RevokedAt.gt(keys_since));
    Entity::find()
        .filter(Column::Version.gt(after))
        .filter(Column::RevokedAt.gt(since).or(is_recent_key))
        .order_by_asc(Column::Version)
        .limit(limit)
        .all(db)
        .await
}

/// Whether a single token was revoked by its `jti`.
pub async fn is_listed(db: &impl ConnectionTrait, id: &str) -> Result<bool, StorageError> {
    let found = Entity::find().filter(Column::Id.eq(id)).one(db).await?;
    Ok(found.is_some())
}
