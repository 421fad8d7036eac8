//! Authorization codes, each redeemed at most once.

use sea_orm::{
    ActiveValue::Set, ConnectionTrait, QueryFilter, entity::prelude::*, sea_query::Expr,
};
use uuid::Uuid;

use super::StorageError;

/// A code, known as a hash. Its row outlives its redemption, so that a replay is recognised.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "authorization_codes")]
pub struct Model {
    /// Hash of the code.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code_hash: String,
    /// What it stands for.
    pub grant_id: Uuid,
    /// Whom it was given to.
    pub client_id: String,
    /// Where it was sent.
    pub redirect_uri: String,
    /// The PKCE challenge to meet.
    pub code_challenge: String,
    /// To be echoed in the ID token.
    pub nonce: Option<String>,
    /// Thumbprint of the key whose proof must come with the code (RFC 9449 §10).
    pub key_thumbprint: Option<String>,
    /// Until when it is good.
    pub expires_at: i64,
    /// When it was redeemed.
    pub redeemed_at: Option<i64>,
}

/// No relation is followed by the ORM.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Enters a code.
pub async fn issue(db: &impl ConnectionTrait, code: Model) -> Result<(), StorageError> {
    let code = ActiveModel {
        code_hash: Set(code.code_hash),
        grant_id: Set(code.grant_id),
        client_id: Set(code.client_id),
        redirect_uri: Set(code.redirect_uri),
        code_challenge: Set(code.code_challenge),
        nonce: Set(code.nonce),
        key_thumbprint: Set(code.key_thumbprint),
        expires_at: Set(code.expires_at),
        redeemed_at: Set(code.redeemed_at),
    };
    code.insert(db).await.map(|_| ())
}

/// Finds a code, redeemed or not.
pub async fn find(
    db: &impl ConnectionTrait,
    code_hash: &str,
) -> Result<Option<Model>, StorageError> {
    Entity::find_by_id(code_hash.to_owned()).one(db).await
}

/// Redeems a code: of any number of callers, on any replica, one is told `true`.
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
