//! How long rows are kept, table by table. Every table of the schema is here: with an end to its
//! rows, or with the reason why they have none.

use sea_orm::{
    Iterable,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait, Query, SelectStatement},
};

use super::{
    Database, StorageError, attempts, authorization_codes, consents, device_codes, grants,
    logout_deliveries, opaque_tokens, replicas, revocations, security_events, sessions,
    signing_keys, single_use,
};

const DAY: i64 = 86_400;
/// Rows that one statement deletes: few enough that nobody waits long for it.
const BATCH: u64 = 500;

/// A table with an end to its rows. The number of each is how long they are kept after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Until they expire.
    Sessions,
    /// A day after they expire: a replay of a redeemed one is recognised until then.
    AuthorizationCodes,
    /// Ten minutes after they expire: a device that asks late is told that its code is over.
    DeviceCodes,
    /// Until they expire.
    OpaqueTokens,
    /// Thirty days after they expired or were revoked, or their last token did.
    Grants,
    /// As long as the grant that they are about.
    Consents,
    /// Three days: longer than a token lives, and than a verifier holds a key that was withdrawn.
    Revocations,
    /// Half a year.
    SecurityEvents,
    /// Until the value is no good for other reasons.
    SingleUse,
    /// A day after they are no longer published.
    SigningKeys,
    /// Until the allowance is whole again, as if nothing had been tried.
    Attempts,
    /// A day after their next try was due; one that was delivered, or given up after the last try,
    /// goes at once.
    LogoutDeliveries,
    /// An hour after they were last seen.
    Replicas,
}

/// Tables whose rows have no end of their own, and why.
pub const KEPT: [(&str, &str); 5] = [
    ("users", "an account lasts until its person deletes it"),
    ("identities", "they last until their person removes them, or go with the account"),
    ("clients", "an operator entered them, and removes them"),
    (
        "registrations",
        "the client_id of a registration lasts for ever, and so must the word that it was changed or \
         deleted; those of clients that nobody has used are at most 10,000",
    ),
    ("counters", "one row for each thing counted, and numbers must not go back"),
];

impl Table {
    /// In an order in which whoever depends on another goes after it.
    pub const ALL: [Self; 13] = [
        Self::Sessions,
        Self::AuthorizationCodes,
        Self::DeviceCodes,
        Self::OpaqueTokens,
        Self::Grants,
        Self::Consents,
        Self::Revocations,
        Self::SecurityEvents,
        Self::SingleUse,
        Self::SigningKeys,
        Self::Attempts,
        Self::LogoutDeliveries,
        Self::Replicas,
    ];

    /// Its name in the schema.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::AuthorizationCodes => "authorization_codes",
            Self::DeviceCodes => "device_codes",
            Self::OpaqueTokens => "opaque_tokens",
            Self::Grants => "grants",
            Self::Consents => "consents",
            Self::Revocations => "revocations",
            Self::SecurityEvents => "security_events",
            Self::SingleUse => "single_use",
            Self::SigningKeys => "signing_keys",
            Self::Attempts => "attempts",
            Self::LogoutDeliveries => "logout_deliveries",
            Self::Replicas => "replicas",
        }
    }
}

/// Deletes one batch of what is over at the time `now`; `true` if there may be more. Replicas may
/// do this at once: each row is deleted by one of them, and missed by no one.
pub async fn forget(db: &Database, table: Table, now: i64) -> Result<(u64, bool), StorageError> {
    let removed = match table {
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
        Table::Grants => delete::<grants::Entity>(db, ended_grant(now - 30 * DAY)).await,
        Table::Consents => delete::<consents::Entity>(db, consent_without_grant()).await,
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
            // One that was never tried has not said yet when it is due.
            let over = logout_deliveries::Column::DueAt.lte(now - DAY);
            let over = over.and(logout_deliveries::Column::Attempts.gt(0));
            delete::<logout_deliveries::Entity>(db, over).await
        }
        Table::Replicas => {
            delete::<replicas::Entity>(db, replicas::Column::SeenAt.lte(now - 3600)).await
        }
    }?;
    Ok((removed, removed == BATCH))
}

/// Ended before `limit`: by its age, by revocation, or because no token of it was left.
fn ended_grant(limit: i64) -> Expr {
    let idle =
        grants::Column::RefreshExpiresAt.lte(limit).and(grants::Column::CreatedAt.lte(limit));
    grants::Column::ExpiresAt.lte(limit).or(grants::Column::RevokedAt.lte(limit)).or(idle)
}

fn consent_without_grant() -> Expr {
    let grants = Query::select().column(grants::Column::Id).from(grants::Entity).to_owned();
    consents::Column::GrantId.not_in_subquery(grants)
}

/// Every table here has a primary key of one column.
async fn delete<E: EntityTrait>(db: &Database, over: Expr) -> Result<u64, StorageError> {
    let Some(key) = E::PrimaryKey::iter().next().map(PrimaryKeyToColumn::into_column) else {
        return Ok(0);
    };
    let batch: SelectStatement =
        Query::select().column(key).from(E::default()).and_where(over).limit(BATCH).to_owned();
    let outcome = E::delete_many().filter(key.in_subquery(batch)).exec(db.connection()).await?;
    Ok(outcome.rows_affected)
}
