//! `GET /userinfo` and `POST /userinfo`
//!
//! What an access token reveals of the person (OpenID Connect Core §5.3).

use axum::{
    Json,
    extract::State,
    http::{
        HeaderMap,
        header::{AUTHORIZATION, CACHE_CONTROL},
    },
    response::{IntoResponse, Response},
};
use keys::UserClaims;
use serde::Serialize;

use super::token::issue::reveal;
use crate::{
    error_response::BearerError,
    oauth::error::{ErrorCode, OAuthError},
    state::AppState,
    storage::users,
    tokens::AccessToken,
};

/// The claims.
#[derive(Debug, Serialize)]
pub struct UserInfo {
    sub: String,
    #[serde(flatten)]
    claims: UserClaims,
}

impl IntoResponse for UserInfo {
    fn into_response(self) -> Response {
        ([(CACHE_CONTROL, "no-store")], Json(self)).into_response()
    }
}

/// Answers for the bearer of an access token.
pub async fn get(
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<UserInfo, BearerError> {
    claims(&state, &headers).await.map_err(BearerError)
}

async fn claims(state: &AppState, headers: &HeaderMap) -> Result<UserInfo, OAuthError> {
    let token = AccessToken::find(state, bearer(headers)?).await?.ok_or_else(refused)?;
    // A token that is bound to a key is worth nothing without its proof.
    let grant = token.grant.as_ref().filter(|_| token.claims.cnf.is_none()).ok_or_else(refused)?;
    let user = users::find(state.db.connection(), grant.user_id)
        .await
        .map_err(|error| OAuthError::server_error("user_lookup_failed", error))?;
    let user = user.ok_or_else(refused)?;
    Ok(UserInfo { sub: token.claims.sub.clone(), claims: reveal(&user, &token.scope()) })
}

/// Reads `Authorization: Bearer`, once (RFC 6750 §2.1).
fn bearer(headers: &HeaderMap) -> Result<&str, OAuthError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(OAuthError::new(
            ErrorCode::InvalidToken,
            "token_missing",
            "Send one access token in the Authorization header.",
        ));
    };
    let (scheme, token) =
        value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or_else(refused)?;
    match scheme.eq_ignore_ascii_case("bearer") {
        true => Ok(token.trim()),
        false => Err(refused()),
    }
}

fn refused() -> OAuthError {
    OAuthError::new(
        ErrorCode::InvalidToken,
        "token_unusable",
        "The access token is unknown, expired, revoked or not for this server.",
    )
}
