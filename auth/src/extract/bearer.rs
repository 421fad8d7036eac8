//! An access token that came in the Authorization header, and the key that it is bound to.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header::AUTHORIZATION, request::Parts},
};

use super::dpop;
use crate::{
    error_response::BearerError,
    oauth::{ErrorCode, OAuthError},
    state::AppState,
    tokens::AccessToken,
};

/// The live access token of a request. A token that is bound to a key comes under the scheme `DPoP`
/// with a proof made by that key, any other under `Bearer` (RFC 6750 §2.1, RFC 9449 §7.1): a stolen
/// one is worth nothing under either.
pub(crate) struct Bearer(pub(crate) AccessToken);

enum Scheme {
    Bearer,
    Dpop,
}

impl FromRequestParts<AppState> for Bearer {
    type Rejection = BearerError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, BearerError> {
        let (scheme, text) = read(&parts.headers)?;
        let token = AccessToken::find(state, text).await?.ok_or_else(unusable)?;
        match (scheme, &token.claims.cnf) {
            (Scheme::Bearer, None) => Ok(Self(token)),
            (Scheme::Bearer, Some(_)) => Err(ErrorCode::InvalidToken.error("token_bound",
                "The access token is bound to a key. Send it under the scheme DPoP, with a proof.",
            )
            .into()),
            (Scheme::Dpop, bound) => {
                let key = dpop::key_thumbprint_with_token(state, parts, text).await?;
                match bound {
                    None => Err(unusable().into()),
                    Some(bound) if key.as_ref() == Some(&bound.jkt) => Ok(Self(token)),
                    Some(_) => Err(ErrorCode::InvalidDpopProof.error("token_key_differs",
                        "Send a DPoP proof made with the key that the access token is bound to.",
                    )
                    .into()),
                }
            }
        }
    }
}

fn read(headers: &HeaderMap) -> Result<(Scheme, &str), OAuthError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(ErrorCode::InvalidToken
            .error("token_missing", "Send one access token in the Authorization header."));
    };
    let (scheme, token) =
        value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or_else(unusable)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok((Scheme::Bearer, token.trim()))
    } else if scheme.eq_ignore_ascii_case("dpop") {
        Ok((Scheme::Dpop, token.trim()))
    } else {
        Err(unusable())
    }
}

/// The refusal of a token that is good for nothing here.
pub(crate) fn unusable() -> OAuthError {
    ErrorCode::InvalidToken.error(
        "token_unusable",
        "The access token is unknown, expired, revoked or not for this server. Get a new one.",
    )
}
