//! A new access token without the user (OAuth 2.1 §4.3).
//!
//! One process refreshes at a time. A process that had to wait reads what the other one stored,
//! because a refresh token that has just been replaced looks stolen to a careful server.

use crate::{
    error::Error,
    http::Fetch,
    oauth::{
        OAuthError, authorization_server_metadata, grant::Grant, registration::ClientRegistration,
        token::TokenEndpoint,
    },
    session::options::ConnectionOptions,
};

/// Renews `held`, the grant for the server, or finds that another process has.
///
/// If the server rejects the refresh token, it is forgotten and not sent again; the access token
/// stays until it expires.
pub(crate) async fn refresh(
    fetch: &Fetch,
    options: &ConnectionOptions,
    held: &Grant,
) -> Result<Grant, Error> {
    let ConnectionOptions { credentials, clock, server, .. } = options;
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
    // The private key of a client is never stored, so it comes with the held grant.
    let client = ClientRegistration { key: held.client.key.clone(), ..current.client.clone() };
    let endpoint = TokenEndpoint {
        fetch,
        metadata: &metadata,
        client: &client,
        dpop_key: dpop_key.as_ref(),
        clock,
    };
    let outcome = endpoint.refresh(&current.resource, refresh_token).await;
    let next = match &outcome {
        Ok(response) => current.renewed(response, clock.now()),
        Err(error) if is_final(error) => Grant { refresh_token: None, ..current.clone() },
        Err(_) => return Ok(outcome.map(|_| held.clone())?),
    };
    credentials.change(&lock, |stored| stored.keep_grant(server, next.clone()))?;
    Ok(outcome.map(|_| next)?)
}

/// Whether another attempt would be refused too: the grant has ended, or the client is unknown.
fn is_final(error: &OAuthError) -> bool {
    match error {
        OAuthError::TokenRefused { error, .. } => {
            matches!(error.as_str(), "invalid_grant" | "invalid_client" | "unauthorized_client")
        }
        _ => false,
    }
}
