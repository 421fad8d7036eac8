//! Authorization codes, each redeemed at most once.

use sea_orm::{ConnectionTrait, IntoActiveModel, QueryFilter, entity::prelude::*, sea_query::Expr};
use uuid::Uuid;

use super::StorageError;

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
    Entity::find_by_id(code_hash.to_owned()).one(db).await
}

/// Redeems a code. Exactly one caller on any replica gets `true`.
pub async fn redeem(
    db: &impl ConnectionTrait,
    code_hash: &str,
    now: i64,
) -> Result<bool, StorageError> {
    let outcome = Entity::update_many()
        .col_expr(Column::RedeemedAt, Expr::value(now))
        .filter(Column::CodeHash.eq(code_hash))
        .filter(Column::RedeemedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec(db)
        .await?;
    Ok(outcome.rows_affected == 1)
}
