//! An access token that came in the Authorization header, and the key that it is bound to.

use axum::http::{HeaderMap, header::AUTHORIZATION};

use super::dpop;
use crate::{
    oauth::error::{ErrorCode, OAuthError},
    state::AppState,
    tokens::AccessToken,
};

/// The live access token of a request by `method` to `path`. A token that is bound to a key comes
/// under the scheme `DPoP` with a proof made by that key, any other under `Bearer` (RFC 6750
/// §2.1, RFC 9449 §7.1): a stolen one is worth nothing under either.
pub async fn find(
    state: &AppState,
    headers: &HeaderMap,
    method: &str,
    path: &str,
) -> Result<AccessToken, OAuthError> {
    let (is_bearer, text) = read(headers)?;
    let token = AccessToken::find(state, text).await?.ok_or_else(refused)?;
    let key = match is_bearer {
        true => None,
        false => dpop::check_with_token(state, headers, method, path, text).await?,
    };
    match (is_bearer, &token.claims.cnf, key) {
        (true, None, _) => Ok(token),
        (false, Some(bound), Some(key)) if bound.jkt == key => Ok(token),
        (false, Some(_), _) => Err(OAuthError::new(
            ErrorCode::InvalidDpopProof,
            "token_key_differs",
            "Send a DPoP proof made with the key that the access token is bound to.",
        )),
        (true, Some(_), _) => Err(OAuthError::new(
            ErrorCode::InvalidToken,
            "token_bound",
            "The access token is bound to a key. Send it under the scheme DPoP, with a proof.",
        )),
        (false, None, _) => Err(refused()),
    }
}

/// Whether the scheme is `Bearer`, and the token.
fn read(headers: &HeaderMap) -> Result<(bool, &str), OAuthError> {
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
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    match is_bearer || scheme.eq_ignore_ascii_case("dpop") {
        true => Ok((is_bearer, token.trim())),
        false => Err(refused()),
    }
}

/// The refusal of a token that is good for nothing here.
pub fn refused() -> OAuthError {
    OAuthError::new(
        ErrorCode::InvalidToken,
        "token_unusable",
        "The access token is unknown, expired, revoked or not for this server.",
    )
}
