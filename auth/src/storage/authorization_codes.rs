//! Authorization codes, each redeemed at most once.

use sea_orm::{ConnectionTrait, IntoActiveModel, Statement, entity::prelude::*};
use uuid::Uuid;

use super::{StorageError, find_one};

const FIND: &str = "SELECT code_hash, grant_id, client_id, redirect_uri, code_challenge, nonce, \
    key_thumbprint, expires_at, redeemed_at FROM authorization_codes WHERE code_hash = $1";
const REDEEM: &str = "UPDATE authorization_codes SET redeemed_at = $1 \
    WHERE code_hash = $2 AND redeemed_at IS NULL AND expires_at > $1";

/// A code, known as a hash. Its row outlives its redemption, so that a replay is recognised.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "authorization_codes")]
pub struct Model {
    /// Hash of the code.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code_hash: String,
    /// The grant that it was issued for.
    pub grant_id: Uuid,
    /// The client that it was issued to.
    pub client_id: String,
    /// Where it was sent.
    pub redirect_uri: String,
    /// The PKCE challenge.
    pub code_challenge: String,
    /// Returned in the ID token.
    pub nonce: Option<String>,
    /// Thumbprint of the key whose proof must come with the code (RFC 9449 §10).
    pub key_thumbprint: Option<String>,
    /// When it expires.
    pub expires_at: i64,
    /// When it was redeemed.
    pub redeemed_at: Option<i64>,
}

without_relations!();

pub(crate) async fn issue(db: &impl ConnectionTrait, code: Model) -> Result<(), StorageError> {
    code.into_active_model().insert(db).await.map(|_| ())
}

/// Finds a code, redeemed or not.
pub async fn find(
    db: &impl ConnectionTrait,
    code_hash: &str,
) -> Result<Option<Model>, StorageError> {
    find_one(db, FIND, [code_hash.into()]).await
}

/// Redeems a code. Exactly one caller on any replica gets `true`.
pub async fn redeem(
    db: &impl ConnectionTrait,
    code_hash: &str,
    now: i64,
) -> Result<bool, StorageError> {
    let values = [now.into(), code_hash.into()];
    let update = Statement::from_sql_and_values(db.get_database_backend(), REDEEM, values);
    let outcome = db.execute_raw(update).await?;
    Ok(outcome.rows_affected() == 1)
}
