//! `GET /userinfo` and `POST /userinfo`
//!
//! What an access token reveals of the person (OpenID Connect Core §5.3): as JSON, or as a signed
//! JWT for who asks for one or registered for one. It need not have the scope `openid`: MCP servers
//! that are shown opaque tokens, and programs that greet the person, ask here too, and what they
//! are told is no more than a JWT with the same scopes says by itself. The token comes in the
//! header; no other place is looked at.

use axum::{
    Json,
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use keys::{TokenType, UserClaims};
use serde::Serialize;

use crate::{
    access::GroupsClaim,
    error_response::BearerError,
    extract::{Accept, Bearer, bearer::unusable},
    oauth::OAuthError,
    state::AppState,
    tokens::{AccessToken, is_client_gone},
};

/// The media type of a signed answer.
const SIGNED: &str = "application/jwt";

#[derive(Debug, Serialize)]
struct UserInfo {
    sub: String,
    #[serde(flatten)]
    claims: UserClaims,
    #[serde(flatten)]
    groups: GroupsClaim,
}

/// The claims as a signed answer holds them (OpenID Connect Core §5.3.2).
#[derive(Debug, Serialize)]
struct SignedUserInfo<'a> {
    iss: &'a str,
    aud: &'a str,
    iat: i64,
    #[serde(flatten)]
    info: UserInfo,
}

pub(crate) async fn get(
    State(state): State<AppState>,
    accept: Accept,
    Bearer(token): Bearer,
) -> Result<Response, BearerError> {
    let info = info(&token)?;
    if accept.prefers(SIGNED) || is_registered_for_signed(&state, &token).await? {
        let jwt = sign(&state, &token, info)?;
        Ok(([(CONTENT_TYPE, SIGNED)], jwt).into_response())
    } else {
        Ok(Json(info).into_response())
    }
}

/// A token of a client's own speaks of no person.
fn info(token: &AccessToken) -> Result<UserInfo, OAuthError> {
    let person = token.person.as_ref().ok_or_else(unusable)?;
    Ok(UserInfo {
        sub: token.claims.sub.clone(),
        claims: person.revealed(&token.scope()),
        groups: token.groups.clone(),
    })
}

async fn is_registered_for_signed(
    state: &AppState,
    token: &AccessToken,
) -> Result<bool, OAuthError> {
    match state.clients.find(&token.claims.client_id).await {
        Ok(client) => Ok(state.signs_by(client.metadata.userinfo_signed_response_alg.as_deref())),
        Err(error) if is_client_gone(&error) => Err(unusable().because(error)),
        Err(error) => Err(error),
    }
}

fn sign(state: &AppState, token: &AccessToken, info: UserInfo) -> Result<String, OAuthError> {
    let now = state.clock.now();
    let iss = &state.config.issuer;
    let aud = &token.claims.client_id;
    let claims = SignedUserInfo { iss, aud, iat: now, info };
    let key = state.keys.current(now);
    let signed = key.and_then(|key| key.sign(TokenType::UserInfo, &claims));
    signed.map_err(|error| OAuthError::server_error("userinfo_not_signed", error))
}
