//! A presented token of any kind, and what this server knows of it.

use keys::{AccessTokenClaims, Verifier};

use crate::{
    oauth::{error::OAuthError, refresh_token::RefreshToken, scope::ScopeSet, secret},
    state::AppState,
    storage::{StorageError, grants, opaque_tokens},
};

/// A token that is good now, and the grant it came of.
#[derive(Clone, Debug)]
pub enum LiveToken {
    /// A signed access token.
    Jwt(Box<AccessTokenClaims>, grants::Model),
    /// An opaque access token.
    Opaque(opaque_tokens::Model, grants::Model),
    /// A refresh token.
    Refresh(grants::Model),
}

impl LiveToken {
    /// Finds out what `token` is. `None` for anything that is not, or no longer, good.
    pub async fn find(state: &AppState, token: &str) -> Result<Option<Self>, OAuthError> {
        let found = match RefreshToken::parse(token, &state.seals.refresh_token) {
            Some(refresh) => find_refresh(state, &refresh).await,
            None if token.contains('.') => find_jwt(state, token).await,
            None => find_opaque(state, token).await,
        };
        found.map_err(|error| OAuthError::server_error("token_lookup_failed", error))
    }

    /// The grant.
    pub fn grant(&self) -> &grants::Model {
        match self {
            Self::Jwt(_, grant) | Self::Opaque(_, grant) | Self::Refresh(grant) => grant,
        }
    }

    /// The scopes of an access token; `None` for a refresh token.
    pub fn access_scope(&self) -> Option<ScopeSet> {
        match self {
            Self::Jwt(claims, _) => Some(claims.scopes().collect()),
            Self::Opaque(token, _) => Some(token.scope.split(' ').collect()),
            Self::Refresh(_) => None,
        }
    }
}

async fn find_jwt(state: &AppState, token: &str) -> Result<Option<LiveToken>, StorageError> {
    let audiences = state.resources.iter().map(|resource| resource.resource.clone()).collect();
    let now = state.clock.now();
    let verifier = Verifier::new(state.config.issuer.clone(), audiences).with_leeway(0);
    let Ok(claims) = verifier.verify(token, &state.keys.key_set(now), now) else {
        return Ok(None);
    };
    let grant_id = claims.jti.split('.').next().and_then(|id| id.parse().ok());
    let Some(grant_id) = grant_id else {
        return Ok(None);
    };
    let grant = live_grant(state, grant_id).await?;
    Ok(grant.map(|grant| LiveToken::Jwt(Box::new(claims), grant)))
}

async fn find_opaque(state: &AppState, token: &str) -> Result<Option<LiveToken>, StorageError> {
    let found = opaque_tokens::find(state.db.connection(), &secret::hash(token)).await?;
    let Some(token) = found.filter(|token| state.clock.now() < token.expires_at) else {
        return Ok(None);
    };
    let grant = live_grant(state, token.grant_id).await?;
    Ok(grant.map(|grant| LiveToken::Opaque(token, grant)))
}

async fn find_refresh(
    state: &AppState,
    token: &RefreshToken,
) -> Result<Option<LiveToken>, StorageError> {
    let is_current = |grant: &grants::Model| {
        let hash = grant.refresh_token_hash.as_deref().unwrap_or_default();
        secret::same_hash(hash, &token.hash()) && state.clock.now() < grant.refresh_expires_at
    };
    let grant = live_grant(state, token.grant_id()).await?;
    Ok(grant.filter(is_current).map(LiveToken::Refresh))
}

async fn live_grant(
    state: &AppState,
    id: uuid::Uuid,
) -> Result<Option<grants::Model>, StorageError> {
    let grant = grants::find(state.db.connection(), id).await?;
    Ok(grant.filter(|grant| grant.is_live(state.clock.now())))
}
