//! The key that a client has proved to hold (RFC 9449).

use std::borrow::Cow;

use axum::http::{HeaderMap, request::Parts};
use keys::{DpopCheck, DpopProof, MAX_DPOP_AGE, dpop_nonce, dpop_nonce_intervals};

use crate::{
    oauth::{Client, ErrorCode, OAuthError},
    state::AppState,
};

const HEADER: &str = "dpop";

/// The thumbprint of the key whose proof came with a client's request; `None` where none came and
/// none was due. Counts the proof as used, so call it when nothing else is wrong with the client.
/// `address` is where the request came from.
pub(super) async fn key_thumbprint(
    state: &AppState,
    request: &Parts,
    client: &Client,
    address: &str,
) -> Result<Option<String>, OAuthError> {
    let Some(proof) = verified(state, request, None)? else {
        if client.metadata.dpop_bound_access_tokens {
            return Err(refused(
                "dpop_missing",
                "This client's tokens are bound to a key. Send a DPoP proof.",
            ));
        }
        return Ok(None);
    };
    state.limits.check_proof(client, address, state.clock.now())?;
    spend(state, &proof).await?;
    Ok(Some(proof.thumbprint))
}

/// The thumbprint of the key whose proof came with an access token.
pub(super) async fn key_thumbprint_with_token(
    state: &AppState,
    request: &Parts,
    access_token: &str,
) -> Result<Option<String>, OAuthError> {
    let Some(proof) = verified(state, request, Some(access_token))? else {
        return Ok(None);
    };
    spend(state, &proof).await?;
    Ok(Some(proof.thumbprint))
}

/// The proof that came with the request, if one did, once all but its first use has been checked.
fn verified(
    state: &AppState,
    request: &Parts,
    access_token: Option<&str>,
) -> Result<Option<DpopProof>, OAuthError> {
    let Some(proof) = sent(&request.headers)? else {
        return Ok(None);
    };
    let url = format!("{}{}", state.config.issuer, request.uri.path());
    let method = request.method.as_str();
    let check = DpopCheck { method, url: &url, access_token, now: state.clock.now() };
    let proof = DpopProof::verify(proof, &check)
        .map_err(|error| refused("dpop_proof", sentence(&error)))?;
    check_nonce(state, &proof)?;
    Ok(Some(proof))
}

/// An error as a description shows it: capitalised, with a full stop.
fn sentence(error: &impl ToString) -> String {
    let text = error.to_string();
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    format!("{}{}.", first.map(String::from).unwrap_or_default(), characters.as_str())
}

/// The nonce to put into the next proof: the same on every replica.
fn nonce(state: &AppState) -> String {
    let [current, _] = dpop_nonce_intervals(state.clock.now());
    dpop_nonce(&state.seals.dpop_nonce.tag(&current))
}

/// A nonce that is sent must be one of ours of late; where the settings demand one, it must be
/// sent (RFC 9449 §8).
fn check_nonce(state: &AppState, proof: &DpopProof) -> Result<(), OAuthError> {
    // Another replica, or this one before a change of master secret, may have handed it out.
    let is_recent = |nonce: &str| {
        dpop_nonce_intervals(state.clock.now()).iter().any(|interval| {
            state.seals.dpop_nonce.tags(interval).any(|tag| nonce == dpop_nonce(&tag))
        })
    };
    match &proof.nonce {
        Some(nonce) if is_recent(nonce) => Ok(()),
        None if !state.config.dpop_nonce_required => Ok(()),
        _ => {
            let description = "Make a new proof with the nonce of the header DPoP-Nonce.";
            let refusal = ErrorCode::UseDpopNonce.error("dpop_nonce", description);
            Err(OAuthError { dpop_nonce: Some(nonce(state)), ..refusal })
        }
    }
}

/// Exactly one use of a proof counts, on any replica.
async fn spend(state: &AppState, proof: &DpopProof) -> Result<(), OAuthError> {
    let value = format!("{} {}", proof.thumbprint, proof.jti);
    let until = proof.issued_at.saturating_add(MAX_DPOP_AGE + 1);
    state.spend("dpop-proof", &value, until, replayed).await
}

fn replayed() -> OAuthError {
    refused("dpop_replayed", "The DPoP proof was used before. Make a new one.")
}

/// The one proof that was sent, if any.
fn sent(headers: &HeaderMap) -> Result<Option<&str>, OAuthError> {
    let mut values = headers.get_all(HEADER).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|error| {
            refused("dpop_malformed", "The header DPoP is not a JWT.").because(error)
        }),
        (Some(_), Some(_)) => Err(refused("dpop_repeated", "Send the header DPoP once.")),
    }
}

fn refused(reason: &'static str, description: impl Into<Cow<'static, str>>) -> OAuthError {
    ErrorCode::InvalidDpopProof.error(reason, description)
}
