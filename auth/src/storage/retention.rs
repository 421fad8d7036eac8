//! How long rows are kept. Every table of the schema is listed here, with the end of its rows or the
//! reason why they have none.

use sea_orm::{
    ConnectionTrait, DbBackend, Iterable, QuerySelect, Statement, Value,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait, LockBehavior, LockType},
};

use super::{
    Database, StorageError, attempts, authorization_codes, device_codes, grants, logout_deliveries,
    opaque_tokens, replicas, revocations, security_events, sessions, signing_keys, single_use,
};
use crate::string_enum::string_enum;

const DAY: i64 = 86_400;
/// Rows that one statement deletes: few enough that other statements do not wait long.
const BATCH: u64 = 500;
/// The advisory lock of PostgreSQL under which one replica cleans up. The number has no meaning.
pub const SWEEP_LOCK: i64 = 0x706f_7275;

/// The type of an entity's primary key.
type Key<E> = <<E as EntityTrait>::PrimaryKey as PrimaryKeyTrait>::ValueType;

string_enum! {
/// A table whose rows have an end, and how long they are kept.
pub enum Table {
    /// Until they expire.
    Sessions = "sessions",
    /// A day after they expire: a replay of a redeemed one is recognised until then.
    AuthorizationCodes = "authorization_codes",
    /// Ten minutes after they expire: a device that asks late learns that its code has expired.
    DeviceCodes = "device_codes",
    /// Until they expire.
    OpaqueTokens = "opaque_tokens",
    /// Thirty days after they expired or were revoked, or their last token did.
    Grants = "grants",
    /// Three days: longer than a token lives, and than a verifier keeps a key that was withdrawn.
    Revocations = "revocations",
    /// Half a year.
    SecurityEvents = "security_events",
    /// Until the value stops being valid anyway.
    SingleUse = "single_use",
    /// A day after they are no longer published.
    SigningKeys = "signing_keys",
    /// Until the allowance is whole again.
    Attempts = "attempts",
    /// A day after their next attempt was due. A message that was delivered, or given up after the last
    /// attempt, is removed at once.
    LogoutDeliveries = "logout_deliveries",
    /// An hour after their last heartbeat.
    Replicas = "replicas",
}
}

/// Tables whose rows have no end of their own, and why.
pub const KEPT: [(&str, &str); 10] = [
    ("consents", "each is removed with the grant that it led to"),
    ("users", "an account lasts until its user deletes it"),
    ("identities", "they last until their user removes them or the account"),
    ("clients", "an operator entered them, and removes them"),
    ("blocked_clients", "an operator blocked them, and allows them again"),
    (
        "registrations",
        "the client_id of a registration never expires, and neither does the record that it was changed \
         or deleted; those of clients that nobody has used are at most 10,000",
    ),
    ("scim_users", "the provisioning system removes them; there are at most 100,000"),
    ("scim_groups", "the provisioning system removes them; there are at most 1,000"),
    ("scim_members", "each is removed with its user or group"),
    ("counters", "one row for each counter, and its number must not decrease"),
];

/// Removes one batch of rows that have ended at the time `now`. Returns how many rows were removed and
/// whether there may be more, or `None` while another replica cleans up.
pub async fn forget(
    db: &Database,
    table: Table,
    now: i64,
) -> Result<Option<(u64, bool)>, StorageError> {
    let transaction = db.begin().await?;
    if !is_alone(&transaction).await? {
        transaction.rollback().await?;
        return Ok(None);
    }
    let removed = forget_batch(&transaction, table, now).await?;
    transaction.commit().await?;
    Ok(Some(removed))
}

/// Whether no other replica cleans up until `transaction` ends. SQLite has one writer.
async fn is_alone(transaction: &impl ConnectionTrait) -> Result<bool, StorageError> {
    let backend = transaction.get_database_backend();
    if backend != DbBackend::Postgres {
        return Ok(true);
    }
    let lock = format!("SELECT pg_try_advisory_xact_lock({SWEEP_LOCK}) AS is_alone");
    let row = transaction.query_one_raw(Statement::from_string(backend, lock)).await?;
    row.map_or(Ok(false), |row| row.try_get("", "is_alone"))
}

/// The same as [`forget`], in a transaction that is alone.
pub async fn forget_batch(
    db: &impl ConnectionTrait,
    table: Table,
    now: i64,
) -> Result<(u64, bool), StorageError> {
    match table {
        Table::Sessions => {
            delete::<sessions::Entity>(db, sessions::Column::ExpiresAt.lte(now)).await
        }
        Table::AuthorizationCodes => {
            let over = authorization_codes::Column::ExpiresAt.lte(now - DAY);
            delete::<authorization_codes::Entity>(db, over).await
        }
        Table::DeviceCodes => {
            let over = device_codes::Column::ExpiresAt.lte(now - 600);
            delete::<device_codes::Entity>(db, over).await
        }
        Table::OpaqueTokens => {
            delete::<opaque_tokens::Entity>(db, opaque_tokens::Column::ExpiresAt.lte(now)).await
        }
        Table::Grants => grants::forget_ended(db, BATCH, now).await,
        Table::Revocations => {
            let over = revocations::Column::RevokedAt.lte(now - 3 * DAY);
            delete::<revocations::Entity>(db, over).await
        }
        Table::SecurityEvents => {
            let over = security_events::Column::OccurredAt.lte(now - 180 * DAY);
            delete::<security_events::Entity>(db, over).await
        }
        Table::SingleUse => {
            delete::<single_use::Entity>(db, single_use::Column::ExpiresAt.lte(now)).await
        }
        Table::SigningKeys => {
            let over = signing_keys::Column::RetiresAt.lte(now - DAY);
            delete::<signing_keys::Entity>(db, over).await
        }
        Table::Attempts => {
            delete::<attempts::Entity>(db, attempts::Column::WholeAgainAt.lte(now)).await
        }
        Table::LogoutDeliveries => {
            // One that was never attempted has no due time yet.
            let over = logout_deliveries::Column::DueAt.lte(now - DAY);
            let over = over.and(logout_deliveries::Column::Attempts.gt(0));
            delete::<logout_deliveries::Entity>(db, over).await
        }
        Table::Replicas => {
            delete::<replicas::Entity>(db, replicas::Column::SeenAt.lte(now - 3600)).await
        }
    }
}

/// Finds a batch by the index on its time, then deletes it by primary key, so that neither step reads the
/// whole table however the planner treats a subquery. Every table here has a primary key of one column.
async fn delete<E>(db: &impl ConnectionTrait, over: Expr) -> Result<(u64, bool), StorageError>
where
    E: EntityTrait,
    Key<E>: Into<Value>,
{
    let Some(key) = E::PrimaryKey::iter().next().map(PrimaryKeyToColumn::into_column) else {
        return Ok((0, false));
    };
    let batch: Vec<Key<E>> = E::find()
        .select_only()
        .column(key)
        .filter(over)
        .limit(BATCH)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_tuple()
        .all(db)
        .await?;
    if batch.is_empty() {
        return Ok((0, false));
    }
    let may_be_more = batch.len() as u64 == BATCH;
    let outcome = E::delete_many().filter(key.is_in(batch)).exec(db).await?;
    Ok((outcome.rows_affected, may_be_more))
}
