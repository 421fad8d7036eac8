//! Later: a new access token without asking the person (OAuth 2.1 §4.3).
//!
//! One process refreshes at a time. Whoever had to wait reads again what the other one stored:
//! presenting a refresh token that has just been replaced looks like theft to a careful server.

use url::Url;

use super::{
    OAuthError, authorization_server_metadata,
    registration::ClientRegistration,
    token::{TokenEndpoint, TokenResponse},
};
use crate::{
    clock::Clock,
    credentials::{Credentials, Grant},
    fetch::Fetch,
};

/// Renews `held`, the grant for `server`, or finds that another process has.
///
/// When the server says that the refresh token is no good, the token is forgotten, so that it is
/// not presented again; the access token stays for what is left of its life.
///
/// # Errors
/// [`OAuthError::TokenRefused`] when the server wants the person to sign in again; otherwise
/// another [`OAuthError`], after which a later attempt may succeed.
pub async fn refresh(
    fetch: &Fetch,
    credentials: &Credentials,
    clock: &Clock,
    server: &Url,
    held: &Grant,
) -> Result<Grant, OAuthError> {
    let lock = credentials.lock().await?;
    let stored = credentials.read()?;
    let Some(current) = stored.grant(server) else {
        // Another process signed out, which ended the refresh token.
        return Ok(Grant { refresh_token: None, ..held.clone() });
    };
    if current.access_token != held.access_token {
        return Ok(current.clone());
    }
    let Some(refresh_token) = &current.refresh_token else { return Ok(current.clone()) };
    let metadata = authorization_server_metadata::discover(fetch, &current.issuer).await?;
    let dpop_key = current.restored_key(clock)?;
    // The private key of a client is never kept, so it comes with what is held.
    let client = ClientRegistration { key: held.client.key.clone(), ..current.client.clone() };
    let endpoint = TokenEndpoint {
        fetch,
        metadata: &metadata,
        client: &client,
        dpop_key: dpop_key.as_ref(),
        clock,
    };
    let outcome = endpoint.refresh(current, refresh_token).await;
    let next = match &outcome {
        Ok(response) => renewed(current, response, clock.now()),
        Err(error) if is_final(error) => Grant { refresh_token: None, ..current.clone() },
        Err(_) => return outcome.map(|_| held.clone()),
    };
    credentials.change(&lock, |stored| stored.keep_grant(server, next.clone()))?;
    outcome.map(|_| next)
}

/// Whether the refusal will be the same next time: the grant is over, or the client is unknown.
fn is_final(error: &OAuthError) -> bool {
    match error {
        OAuthError::TokenRefused { error, .. } => {
            matches!(error.as_str(), "invalid_grant" | "invalid_client" | "unauthorized_client")
        }
        _ => false,
    }
}

/// The grant after a refresh. A server that sends no new refresh token means the old one to be
/// used again, and one that names no scope has changed none (OAuth 2.1 §4.3.2).
fn renewed(grant: &Grant, response: &TokenResponse, now: i64) -> Grant {
    Grant {
        access_token: response.access_token.clone(),
        refresh_token: response.refresh_token.clone().or_else(|| grant.refresh_token.clone()),
        scope: response.scope.clone().unwrap_or_else(|| grant.scope.clone()),
        issued_at: now,
        expires_at: response.expires_in.map(|seconds| now + seconds),
        ..grant.clone()
    }
}
