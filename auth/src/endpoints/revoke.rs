//! `POST /revoke`
//!
//! A client gives back a token, and with it the whole grant (RFC 7009 §2). Unknown tokens are no
//! error: what the client wants is the case.

use axum::{
    extract::State,
    http::{StatusCode, header::CACHE_CONTROL},
    response::{IntoResponse, Response},
};

use crate::{
    error_response::TokenError,
    extract::authenticated::{Authenticated, FromParameters},
    oauth::{error::OAuthError, parameters::Parameters, refresh_token::RefreshToken},
    state::AppState,
    storage::{StorageError, grants},
    tokens::AccessToken,
};

/// The message (RFC 7009 §2.1). The hint is not needed: tokens tell what they are.
#[derive(Debug)]
pub struct RevocationRequest {
    token: String,
}

impl FromParameters for RevocationRequest {
    fn from_parameters(parameters: &Parameters) -> Result<Self, OAuthError> {
        Ok(Self { token: parameters.required("token")?.into() })
    }
}

/// Revokes the token's grant, if it is the client's.
pub async fn post(
    State(state): State<AppState>,
    Authenticated { client, request }: Authenticated<RevocationRequest>,
) -> Result<Response, TokenError> {
    let grant = grant_of(&state, &request.token).await?;
    if let Some(grant) = grant.filter(|grant| grant.client_id == client.id) {
        grants::revoke(state.db.connection(), grant.id, state.clock.now()).await.map_err(failed)?;
    }
    Ok((StatusCode::OK, [(CACHE_CONTROL, "no-store")]).into_response())
}

/// A refresh token of any generation ends its family: whoever holds an old one held the grant.
async fn grant_of(state: &AppState, token: &str) -> Result<Option<grants::Model>, OAuthError> {
    if let Some(refresh) = RefreshToken::parse(token, &state.seals.refresh_token) {
        return grants::find(state.db.connection(), refresh.grant_id()).await.map_err(failed);
    }
    Ok(AccessToken::find(state, token).await?.and_then(|token| token.grant))
}

fn failed(error: StorageError) -> OAuthError {
    OAuthError::server_error("revocation_storage", error)
}
