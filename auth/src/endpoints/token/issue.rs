//! Access tokens and ID tokens of a grant.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keys::{AccessTokenClaims, Audience, IdTokenClaims, KeyError, TokenType, UserClaims};
use uuid::Uuid;

use super::TokenResponse;
use crate::{
    oauth::{
        error::OAuthError,
        resource::{Resource, TokenFormat},
        scope::ScopeSet,
        secret::{Secret, SecretKind},
    },
    state::AppState,
    storage::{StorageError, grants, opaque_tokens, users},
};

/// What the tokens are made of.
pub(super) struct Issue<'a> {
    /// The grant they come of.
    pub(super) grant: &'a grants::Model,
    /// What they allow: all of the grant, or less.
    pub(super) scope: ScopeSet,
    /// For the ID token.
    pub(super) nonce: Option<String>,
    /// Ready for the client.
    pub(super) refresh_token: Option<String>,
    /// Whether an ID token is due.
    pub(super) with_id_token: bool,
}

/// Makes the answer to a served grant.
pub(super) async fn tokens(
    state: &AppState,
    issue: Issue<'_>,
) -> Result<TokenResponse, OAuthError> {
    let stored = |error: StorageError| OAuthError::server_error("tokens_not_stored", error);
    let signed = |error: KeyError| OAuthError::server_error("tokens_not_signed", error);
    let user = users::find(state.db.connection(), issue.grant.user_id).await.map_err(stored)?;
    let user = user.ok_or_else(|| {
        OAuthError::invalid_grant("user_gone", "The person no longer has an account here.")
    })?;
    let revealed = reveal(&user, &issue.scope);
    let now = state.clock.now();
    let expires_in = lifetime(state, issue.grant, now)?;
    let access_token = match format(state, issue.grant) {
        TokenFormat::Jwt => {
            let claims = access_claims(state, &issue, &revealed, (now, expires_in));
            let key = state.keys.current(now).map_err(signed)?;
            key.sign(TokenType::AccessToken, &claims).map_err(signed)?
        }
        TokenFormat::Opaque => opaque(state, &issue, now, expires_in).await?,
    };
    let id_token = match issue.with_id_token && issue.scope.contains("openid") {
        true => Some(id_token(state, &issue, &access_token, revealed).map_err(signed)?),
        false => None,
    };
    Ok(TokenResponse {
        access_token,
        token_type: "Bearer",
        expires_in,
        refresh_token: issue.refresh_token,
        scope: issue.scope.to_string(),
        id_token,
    })
}

/// No token outlives its grant, and none is issued that is already over.
fn lifetime(state: &AppState, grant: &grants::Model, now: i64) -> Result<i64, OAuthError> {
    match (grant.expires_at - now).min(state.config.access_token_lifetime) {
        seconds if seconds > 0 => Ok(seconds),
        _ => {
            Err(OAuthError::invalid_grant("grant_expired", "The grant has expired. Sign in again."))
        }
    }
}

fn format(state: &AppState, grant: &grants::Model) -> TokenFormat {
    let resource = state.resources.iter().find(|one: &&Resource| one.resource == grant.resource);
    resource.map(|resource| resource.token_format).unwrap_or_default()
}

fn access_claims(
    state: &AppState,
    issue: &Issue<'_>,
    user: &UserClaims,
    (now, expires_in): (i64, i64),
) -> AccessTokenClaims {
    AccessTokenClaims {
        iss: state.config.issuer.clone(),
        sub: issue.grant.user_id.to_string(),
        aud: Audience::One(issue.grant.resource.clone()),
        client_id: issue.grant.client_id.clone(),
        scope: issue.scope.to_string(),
        exp: now + expires_in,
        iat: now,
        nbf: None,
        jti: format!("{}.{}", issue.grant.id, Uuid::new_v4()),
        auth_time: Some(issue.grant.authenticated_at),
        cnf: None,
        act: None,
        name: user.name.clone(),
        preferred_username: user.preferred_username.clone(),
        picture: user.picture.clone(),
        email: user.email.clone(),
        email_verified: user.email_verified,
    }
}

async fn opaque(
    state: &AppState,
    issue: &Issue<'_>,
    now: i64,
    expires_in: i64,
) -> Result<String, OAuthError> {
    let secret = Secret::generate(SecretKind::AccessToken)?;
    let token = opaque_tokens::Model {
        token_hash: secret.hash(),
        grant_id: issue.grant.id,
        scope: issue.scope.to_string(),
        issued_at: now,
        expires_at: now + expires_in,
    };
    opaque_tokens::issue(state.db.connection(), token)
        .await
        .map_err(|error| OAuthError::server_error("tokens_not_stored", error))?;
    Ok(secret.expose().into())
}

fn id_token(
    state: &AppState,
    issue: &Issue<'_>,
    access_token: &str,
    user: UserClaims,
) -> Result<String, KeyError> {
    let now = state.clock.now();
    let hash = digest(&SHA256, access_token.as_bytes());
    let left_half = hash.as_ref().get(..16).unwrap_or_default();
    let claims = IdTokenClaims {
        iss: state.config.issuer.clone(),
        sub: issue.grant.user_id.to_string(),
        aud: issue.grant.client_id.clone(),
        exp: now + state.config.access_token_lifetime,
        iat: now,
        auth_time: issue.grant.authenticated_at,
        nonce: issue.nonce.clone(),
        at_hash: URL_SAFE_NO_PAD.encode(left_half),
        user,
    };
    state.keys.current(now)?.sign(TokenType::IdToken, &claims)
}

/// What the scopes reveal of a person (OpenID Connect Core §5.4).
pub(crate) fn reveal(user: &users::Model, scope: &ScopeSet) -> UserClaims {
    let mut claims = UserClaims::default();
    if scope.contains("profile") {
        claims.name = user.name.clone();
        claims.preferred_username = user.preferred_username.clone();
        claims.picture = user.picture.clone();
    }
    if scope.contains("email") && user.email.is_some() {
        claims.email = user.email.clone();
        claims.email_verified = Some(user.email_verified);
    }
    claims
}
