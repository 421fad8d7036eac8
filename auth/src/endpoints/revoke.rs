//! `POST /revoke`
//!
//! A client gives back a token (RFC 7009 §2): an access token alone, or with a refresh token the
//! whole grant. An unknown token is not an error: it is already unusable.

use axum::{extract::State, http::StatusCode};

use crate::{
    error_response::JsonError,
    extract::{Authenticated, PresentedToken},
    oauth::{Client, OAuthError, RefreshToken, secret},
    state::AppState,
    storage::{grants, opaque_tokens, revocations},
    tokens::AccessToken,
};

/// Revokes the token, if it is the client's.
pub(crate) async fn post(
    State(state): State<AppState>,
    Authenticated { client, request: PresentedToken(token), .. }: Authenticated<PresentedToken>,
) -> Result<StatusCode, JsonError> {
    match RefreshToken::parse(&token, &state.seals.refresh_token) {
        Some(refresh) => end_grant(&state, &client, &refresh).await?,
        None => end_token(&state, &client, &token).await?,
    }
    Ok(StatusCode::OK)
}

/// A refresh token of any generation ends its grant: the holder of an old one once held the grant.
async fn end_grant(
    state: &AppState,
    client: &Client,
    refresh: &RefreshToken,
) -> Result<(), OAuthError> {
    let db = state.db.connection();
    let grant = grants::find(db, refresh.grant_id()).await?;
    if let Some(grant) = grant.filter(|grant| grant.client_id == client.id) {
        grants::revoke(db, grant.id, state.clock.now()).await?;
    }
    Ok(())
}

/// An access token ends alone. Resource servers that check signed tokens by themselves learn of
/// it by the deny list.
async fn end_token(state: &AppState, client: &Client, token: &str) -> Result<(), OAuthError> {
    let claims = AccessToken::claims_to_revoke(state, token).await?;
    let Some(claims) = claims.filter(|claims| claims.client_id == client.id) else {
        return Ok(());
    };
    state.limits.revoke(client, &claims.sub, state.clock.now())?;
    let transaction = state.db.begin().await?;
    opaque_tokens::revoke(&transaction, &secret::hash(token)).await?;
    let jti = std::slice::from_ref(&claims.jti);
    revocations::enter(&transaction, jti, state.clock.now()).await?;
    Ok(transaction.commit().await?)
}
