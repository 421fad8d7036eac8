//! Pre-registered clients.

use sea_orm::{ConnectionTrait, IntoActiveModel, QueryFilter, QueryOrder, entity::prelude::*};

use super::StorageError;

/// A client that an operator entered. Names are those of RFC 7591 §2; lists are separated by
/// spaces.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "clients")]
pub struct Model {
    /// `client_id`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Redirect URIs.
    pub redirect_uris: String,
    /// Grants.
    pub grant_types: String,
    /// How it proves itself.
    pub token_endpoint_auth_method: String,
    /// Hash of its secret; none for a client without one.
    pub secret_hash: Option<String>,
    /// The resource that it is, where it is a resource server.
    pub resource: Option<String>,
    /// When it was entered.
    pub created_at: i64,
    /// Hash of the secret before the latest rotation.
    pub previous_secret_hash: Option<String>,
    /// Until when that one still counts.
    pub previous_secret_expires_at: Option<i64>,
    /// Its public keys, a JWK Set.
    pub jwks: Option<String>,
    /// Where its public keys are.
    pub jwks_uri: Option<String>,
    /// What it may ask for at most.
    pub scope: Option<String>,
    /// `native` or `web`.
    pub application_type: String,
    /// Where people may be sent after they signed out (OpenID Connect RP-Initiated Logout §2).
    pub post_logout_redirect_uris: String,
    /// Who is told of a sign-out (OpenID Connect Back-Channel Logout §2.2).
    pub backchannel_logout_uri: Option<String>,
    /// Whether that message must name the session.
    pub backchannel_logout_session_required: bool,
    /// Whether its authorization requests must be pushed (RFC 9126 §6).
    pub require_pushed_authorization_requests: bool,
    /// Whether its tokens must be bound to a key (RFC 9449 §5.2).
    pub dpop_bound_access_tokens: bool,
    /// `jwt` or `opaque`, where it is not what the resource says.
    pub access_token_format: Option<String>,
    /// `id_token_signed_response_alg`.
    pub id_token_signed_response_alg: Option<String>,
    /// `userinfo_signed_response_alg`.
    pub userinfo_signed_response_alg: Option<String>,
    /// Its home page.
    pub client_uri: Option<String>,
    /// Its picture.
    pub logo_uri: Option<String>,
    /// Its privacy policy.
    pub policy_uri: Option<String>,
    /// Its terms of service.
    pub tos_uri: Option<String>,
}

/// No relation is followed by the ORM.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The hashes of the secrets that count now, the newest first.
    pub fn live_secret_hashes(&self, now: i64) -> Vec<String> {
        let previous = self
            .previous_secret_hash
            .clone()
            .filter(|_| self.previous_secret_expires_at.is_some_and(|until| now < until));
        self.secret_hash.clone().into_iter().chain(previous).collect()
    }
}

/// Finds a client by `client_id`.
pub async fn find(db: &impl ConnectionTrait, id: &str) -> Result<Option<Model>, StorageError> {
    Entity::find_by_id(id.to_owned()).one(db).await
}

/// Every client, the oldest first.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Model>, StorageError> {
    Entity::find().order_by_asc(Column::CreatedAt).order_by_asc(Column::Id).all(db).await
}

/// Enters a client.
pub async fn add(db: &impl ConnectionTrait, client: Model) -> Result<(), StorageError> {
    client.into_active_model().insert(db).await.map(|_| ())
}

/// Takes a client away; `false` if there was none.
pub async fn remove(db: &impl ConnectionTrait, id: &str) -> Result<bool, StorageError> {
    let outcome = Entity::delete_by_id(id.to_owned()).exec(db).await?;
    Ok(outcome.rows_affected == 1)
}

/// Gives a client a new secret in place of `old_hash`, which still counts until `old_until`. Of
/// two rotations at once, one is told `false`.
pub async fn rotate_secret(
    db: &impl ConnectionTrait,
    id: &str,
    (old_hash, new_hash): (&str, &str),
    old_until: i64,
) -> Result<bool, StorageError> {
    let outcome = Entity::update_many()
        .col_expr(Column::SecretHash, Expr::value(new_hash))
        .col_expr(Column::PreviousSecretHash, Expr::value(old_hash))
        .col_expr(Column::PreviousSecretExpiresAt, Expr::value(old_until))
        .filter(Column::Id.eq(id))
        .filter(Column::SecretHash.eq(old_hash))
        .exec(db)
        .await?;
    Ok(outcome.rows_affected == 1)
}
