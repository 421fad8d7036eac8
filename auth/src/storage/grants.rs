//! What a user has allowed a client: one row per installation, with the family of its refresh tokens. A
//! rotation is one conditional UPDATE of one row.

mod leftovers;
mod usage;

use sea_orm::{
    ConnectionTrait, FromQueryResult, IntoActiveModel, QueryFilter, QueryOrder, QueryResult,
    QuerySelect, Statement,
    entity::prelude::*,
    sea_query::{Expr, ExprTrait},
};
use uuid::Uuid;

pub(super) use self::leftovers::forget_ended;
pub use self::leftovers::forget_superseded;
pub(crate) use self::usage::{Usage, usage};
use super::{Begin, StorageError, find_one, registrations, revocations, users};
use crate::oauth::refresh_token::Family;

/// Seconds that a grant is kept after it has ended.
const KEPT_AFTER_END: i64 = 30 * 86_400;
/// Characters of a `client_id` that are indexed.
const INDEXED_LENGTH: usize = 128;
/// Grants of one user and client that are searched for a remembered consent.
const MAX_COMPARED_GRANTS: u64 = 20;
/// A grant with its user, and whether a token of it was revoked: all that a request with a token asks.
const FIND_WITH_USER: &str = "SELECT grants.id, grants.user_id, grants.client_id, grants.client_name, \
    grants.resource, grants.scope, grants.authenticated_at, grants.created_at, grants.expires_at, \
    grants.revoked_at, grants.refresh_token_hash, grants.refresh_generation, \
    grants.refresh_expires_at, grants.rotations, grants.key_thumbprint, grants.session_id, \
    grants.review_at, users.id AS user_known, users.name, users.preferred_username, users.picture, \
    users.email, users.email_verified, users.facts, users.disabled_at, users.created_at AS user_created_at, users.updated_at, \
    EXISTS (SELECT 1 FROM revocations WHERE revocations.id = $2) AS is_token_revoked \
    FROM grants LEFT JOIN users ON users.id = grants.user_id WHERE grants.id = $1";
/// The replacement of a refresh token by its successor, if it still is the current one of a live grant.
const ROTATE: &str = "UPDATE grants SET refresh_token_hash = $1, refresh_generation = $2, \
    refresh_expires_at = $3, rotations = $4 WHERE id = $5 AND refresh_token_hash = $6 \
    AND refresh_expires_at > $7 AND expires_at > $7 AND revoked_at IS NULL";

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "grants")]
pub struct Model {
    /// Named inside every refresh token.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Who allowed it.
    pub user_id: Uuid,
    /// The client that was allowed.
    pub client_id: String,
    /// What the client called itself then.
    pub client_name: String,
    /// The resource that its tokens are for.
    pub resource: String,
    /// The scopes that were allowed.
    pub scope: String,
    /// `auth_time` of its tokens.
    pub authenticated_at: i64,
    /// When it was allowed.
    pub created_at: i64,
    /// When it expires, however often it is refreshed.
    pub expires_at: i64,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
    /// Hash of the current refresh token, once there is one.
    pub refresh_token_hash: Option<String>,
    /// Generation of that token.
    pub refresh_generation: i64,
    /// When that token expires.
    pub refresh_expires_at: i64,
    /// Times of the latest rotations, newest first, separated by spaces.
    pub rotations: String,
    /// Thumbprint of the key that its refresh tokens are bound to (RFC 9449 §5).
    pub key_thumbprint: Option<String>,
    /// The session in which it was made, where a browser was there.
    pub session_id: Option<Uuid>,
    /// When the clean-up looks at it next.
    pub review_at: i64,
}

without_relations!();

impl Model {
    /// Whether it is neither revoked nor expired.
    pub fn is_live(&self, now: i64) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }

    /// When tokens were last issued for it: at its latest rotation, or when it was allowed.
    pub(crate) fn last_used_at(&self) -> i64 {
        let rotations = self.rotations.split(' ').filter_map(|at| at.parse().ok());
        rotations.fold(self.created_at, Ord::max)
    }

    /// The family of its refresh tokens, if it has any.
    pub fn family(&self) -> Option<Family> {
        Some(Family {
            current_hash: self.refresh_token_hash.clone()?,
            generation: self.refresh_generation.try_into().unwrap_or(u32::MAX),
            rotations: self.rotations.split(' ').filter_map(|at| at.parse().ok()).collect(),
        })
    }
}

/// Stores a grant and marks its client as used. `registration_id` is that of the client's open
/// registration, if it has one.
pub(crate) async fn issue(
    db: &impl ConnectionTrait,
    grant: Model,
    registration_id: Option<Uuid>,
) -> Result<(), StorageError> {
    let review_at = grant.created_at.saturating_add(KEPT_AFTER_END);
    Model { review_at, ..grant }.into_active_model().insert(db).await?;
    match registration_id {
        Some(id) => registrations::note_use(db, id).await,
        None => Ok(()),
    }
}

/// The grants of a client, found by the index on the beginning of `client_id`.
fn is_of_client(client_id: &str) -> Expr {
    let beginning: String = client_id.chars().take(INDEXED_LENGTH).collect();
    Expr::cust("substr(client_id, 1, 128)").eq(beginning).and(Column::ClientId.eq(client_id))
}

/// Finds a grant.
pub async fn find(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Model>, StorageError> {
    Entity::find_by_id(id).one(db).await
}

/// A grant, and what else a request with a token of it asks.
#[derive(Clone, Debug)]
pub struct Found {
    /// The grant.
    pub grant: Model,
    /// Who allowed it, while they have an account.
    pub user: Option<users::Model>,
    /// Whether the token was revoked by itself.
    pub is_token_revoked: bool,
}

impl FromQueryResult for Found {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let grant = Model::from_query_result(row, prefix)?;
        let known: Option<Uuid> = row.try_get(prefix, "user_known")?;
        let user = match known {
            Some(id) => Some(users::Model {
                id,
                name: row.try_get(prefix, "name")?,
                preferred_username: row.try_get(prefix, "preferred_username")?,
                picture: row.try_get(prefix, "picture")?,
                email: row.try_get(prefix, "email")?,
                email_verified: row.try_get(prefix, "email_verified")?,
                facts: row.try_get(prefix, "facts")?,
                disabled_at: row.try_get(prefix, "disabled_at")?,
                created_at: row.try_get(prefix, "user_created_at")?,
                updated_at: row.try_get(prefix, "updated_at")?,
            }),
            None => None,
        };
        let is_token_revoked = row.try_get(prefix, "is_token_revoked")?;
        Ok(Self { grant, user, is_token_revoked })
    }
}

/// Finds a grant with its user, and whether the token `jti` was revoked, in one read.
pub async fn find_with_user(
    db: &impl ConnectionTrait,
    id: Uuid,
    jti: Option<&str>,
) -> Result<Option<Found>, StorageError> {
    find_one(db, FIND_WITH_USER, [id.into(), jti.map(str::to_owned).into()]).await
}

/// The first refresh token of a grant.
#[derive(Clone, Debug)]
pub struct FirstToken {
    /// Hash of the token.
    pub hash: String,
    /// Thumbprint of the key that the family is bound to, if any.
    pub key_thumbprint: Option<String>,
    /// Until when it is good.
    pub expires_at: i64,
}

/// Gives a grant its first refresh token.
pub async fn begin_family(
    db: &impl ConnectionTrait,
    id: Uuid,
    first: FirstToken,
) -> Result<(), StorageError> {
    Entity::update_many()
        .col_expr(Column::RefreshTokenHash, Expr::value(first.hash))
        .col_expr(Column::KeyThumbprint, Expr::value(first.key_thumbprint))
        .col_expr(Column::RefreshExpiresAt, Expr::value(first.expires_at))
        .filter(Column::Id.eq(id))
        .exec(db)
        .await
        .map(|_| ())
}

/// The replacement of a refresh token by its successor.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// Hash of the token that is replaced.
    pub presented_hash: String,
    /// The family, with the successor as its current token.
    pub family: Family,
    /// When the successor expires.
    pub expires_at: i64,
}

/// Replaces the current refresh token, if it still is the presented one and nothing has ended the
/// grant. Exactly one caller on any replica gets `true`.
pub async fn rotate(
    db: &impl ConnectionTrait,
    id: Uuid,
    rotation: Rotation,
    now: i64,
) -> Result<bool, StorageError> {
    let Rotation { presented_hash, family, expires_at } = rotation;
    let rotations: Vec<String> = family.rotations.iter().map(i64::to_string).collect();
    let values = [
        family.current_hash.into(),
        i64::from(family.generation).into(),
        expires_at.into(),
        rotations.join(" ").into(),
        id.into(),
        presented_hash.into(),
        now.into(),
    ];
    let update = Statement::from_sql_and_values(db.get_database_backend(), ROTATE, values);
    let outcome = db.execute_raw(update).await?;
    Ok(outcome.rows_affected() == 1)
}

/// Revokes a grant, its refresh tokens and, by the deny list, its access tokens; `false` if it was
/// revoked before.
pub async fn revoke(
    db: &(impl ConnectionTrait + Begin),
    id: Uuid,
    now: i64,
) -> Result<bool, StorageError> {
    revoke_all(db, Column::Id.eq(id), None, now).await.map(|ended| ended == 1)
}

/// The live grants of a user, the newest first.
fn live_of_user(user_id: Uuid, now: i64) -> Select<Entity> {
    Entity::find()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .order_by_desc(Column::Id)
}

/// The live grants of a user, the newest first.
pub async fn of_user(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    now: i64,
) -> Result<Vec<Model>, StorageError> {
    live_of_user(user_id, now).all(db).await
}

/// Live grants of a client, the newest first.
pub(crate) async fn of_client(
    db: &impl ConnectionTrait,
    client_id: &str,
    now: i64,
    limit: u64,
) -> Result<Vec<Model>, StorageError> {
    Entity::find()
        .filter(is_of_client(client_id))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// The live grants of a user and client, the newest first.
pub async fn of_user_and_client(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    client_id: &str,
    now: i64,
) -> Result<Vec<Model>, StorageError> {
    let of_client = live_of_user(user_id, now).filter(Column::ClientId.eq(client_id));
    of_client.limit(MAX_COMPARED_GRANTS).all(db).await
}

/// The clients that were granted something in a session.
pub async fn clients_of_session(
    db: &impl ConnectionTrait,
    session_id: Uuid,
) -> Result<Vec<String>, StorageError> {
    Entity::find()
        .select_only()
        .column(Column::ClientId)
        .distinct()
        .filter(Column::SessionId.eq(session_id))
        .into_tuple()
        .all(db)
        .await
}

/// Revokes every grant of a user, and returns how many that were.
pub async fn revoke_of_user(
    db: &(impl ConnectionTrait + Begin),
    user_id: Uuid,
    now: i64,
) -> Result<u64, StorageError> {
    revoke_all(db, Column::UserId.eq(user_id), None, now).await
}

/// The same of a user who is shut out, whose tokens without a grant end too.
pub(crate) async fn revoke_of_leaver(
    db: &(impl ConnectionTrait + Begin),
    user_id: Uuid,
    now: i64,
) -> Result<u64, StorageError> {
    let leaver = Some(revocations::subject(user_id));
    revoke_all(db, Column::UserId.eq(user_id), leaver, now).await
}

/// Revokes every grant of a client and its tokens without a grant. Returns how many grants that were.
pub async fn revoke_of_client(
    db: &(impl ConnectionTrait + Begin),
    client_id: &str,
    now: i64,
) -> Result<u64, StorageError> {
    let client = Some(revocations::client(client_id));
    revoke_all(db, is_of_client(client_id), client, now).await
}

/// Revokes grants and puts them in the deny list, with the user or client that they end for: all, or
/// nothing. It must be the last call in a
/// transaction, as [`revocations::enter`] requires.
async fn revoke_all(
    db: &(impl ConnectionTrait + Begin),
    which: Expr,
    party: Option<String>,
    now: i64,
) -> Result<u64, StorageError> {
    let transaction = db.begin().await?;
    let ended = Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now))
        .col_expr(Column::ReviewAt, Expr::value(now.saturating_add(KEPT_AFTER_END)))
        .filter(which)
        .filter(Column::RevokedAt.is_null())
        .exec_with_returning(&transaction)
        .await?;
    let ids: Vec<String> = ended.iter().map(|grant| grant.id.to_string()).chain(party).collect();
    revocations::enter(&transaction, &ids, now).await?;
    transaction.commit().await?;
    Ok(u64::try_from(ended.len()).unwrap_or(u64::MAX))
}

/// Whether any user has ever allowed a client anything.
pub async fn any_of_client(
    db: &impl ConnectionTrait,
    client_id: &str,
) -> Result<bool, StorageError> {
    let found = Entity::find().filter(is_of_client(client_id)).one(db).await?;
    Ok(found.is_some())
}
