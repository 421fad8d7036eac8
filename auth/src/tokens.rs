//! A presented token of any kind, and what this server knows of it.

use std::sync::Arc;

use keys::AccessTokenClaims;

use crate::{
    oauth::{ErrorCode, OAuthError, RefreshToken, ScopeSet, secret},
    state::AppState,
    storage::{StorageError, grants, opaque_tokens, revocations, users},
};

/// A token that is good now.
#[derive(Clone, Debug)]
pub(crate) enum LiveToken {
    Access(Box<AccessToken>),
    /// A refresh token, known by its grant.
    Refresh(Box<grants::Model>),
}

/// An access token. What it says does not depend on its format.
#[derive(Clone, Debug)]
pub(crate) struct AccessToken {
    pub(crate) claims: Arc<AccessTokenClaims>,
    /// The grant it came of; `None` where a client got it for itself, or by an assertion.
    pub(crate) grant: Option<grants::Model>,
    /// Who allowed that grant, while they have an account.
    pub(crate) user: Option<users::Model>,
}

impl LiveToken {
    /// Finds out what `token` is. `None` for anything that is not, or no longer, good.
    pub(crate) async fn find(state: &AppState, token: &str) -> Result<Option<Self>, OAuthError> {
        if let Some(refresh) = RefreshToken::parse(token, &state.seals.refresh_token) {
            let grant = find_refresh(state, &refresh).await?;
            return Ok(grant.map(|grant| Self::Refresh(Box::new(grant))));
        }
        let token = AccessToken::find(state, token).await?;
        Ok(token.map(|token| Self::Access(Box::new(token))))
    }
}

impl AccessToken {
    /// The access token behind this text. `None` for anything that is not, or no longer, good.
    pub(crate) async fn find(state: &AppState, token: &str) -> Result<Option<Self>, OAuthError> {
        let claims = if token.contains('.') {
            let now = state.clock.now();
            state.verified_tokens.verify(token, state.keys.verification_keys(now), now)
        } else {
            stored(state, token).await?.map(Arc::new)
        };
        let Some(claims) = claims.filter(|claims| state.clock.now() < claims.exp) else {
            return Ok(None);
        };
        let db = state.db.connection();
        let grant_id = claims.jti.split_once('.').and_then(|(id, _)| id.parse().ok());
        let Some(grant_id) = grant_id else {
            return Self::without_grant(state, claims).await;
        };
        let found = grants::find_with_user(db, grant_id, Some(&claims.jti)).await?;
        let now = state.clock.now();
        let live = found.filter(|found| !found.is_token_revoked && found.grant.is_live(now));
        Ok(live.map(|found| Self { claims, grant: Some(found.grant), user: found.user }))
    }

    /// Without a grant, the token is valid as long as its client and its subject are.
    async fn without_grant(
        state: &AppState,
        claims: Arc<AccessTokenClaims>,
    ) -> Result<Option<Self>, OAuthError> {
        let is_revoked = revocations::is_listed(state.db.connection(), &claims.jti).await?;
        let is_clients_own = claims.sub == claims.client_id;
        if is_revoked || !(is_clients_own || has_account(state, &claims.sub).await?) {
            return Ok(None);
        }
        match state.clients.find(&claims.client_id).await {
            Ok(_) => Ok(Some(Self { claims, grant: None, user: None })),
            Err(error) if error.code == ErrorCode::InvalidClient => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn scope(&self) -> ScopeSet {
        self.claims.scopes().collect()
    }
}

async fn has_account(state: &AppState, sub: &str) -> Result<bool, OAuthError> {
    let Ok(id) = sub.parse() else {
        return Ok(false);
    };
    Ok(users::find(state.db.connection(), id).await?.is_some())
}

async fn stored(state: &AppState, token: &str) -> Result<Option<AccessTokenClaims>, StorageError> {
    let found = opaque_tokens::find(state.db.connection(), &secret::hash(token)).await?;
    let claims = found.and_then(|token| serde_json::from_str(&token.claims).ok());
    Ok(claims.filter(|claims: &AccessTokenClaims| {
        state.resources.iter().any(|resource| claims.aud.contains(&resource.resource))
    }))
}

async fn find_refresh(
    state: &AppState,
    token: &RefreshToken,
) -> Result<Option<grants::Model>, StorageError> {
    let grant = live_grant(state, token.grant_id()).await?;
    Ok(grant.filter(|grant| {
        let hash = grant.refresh_token_hash.as_deref().unwrap_or_default();
        secret::same_hash(hash, &token.hash())
            && state.clock.now() < grant.refresh_expires_at
            && state.resources.iter().any(|resource| resource.resource == grant.resource)
    }))
}

async fn live_grant(
    state: &AppState,
    id: uuid::Uuid,
) -> Result<Option<grants::Model>, StorageError> {
    let grant = grants::find(state.db.connection(), id).await?;
    Ok(grant.filter(|grant| grant.is_live(state.clock.now())))
}
