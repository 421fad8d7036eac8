//! At the end: revoking the tokens at the authorization server (RFC 7009).

use net::clock::Clock;

use super::{
    OAuthError, authorization_server_metadata, error_response::ErrorResponse, grant::Grant,
    token::TokenEndpoint,
};
use crate::{http::Fetch, terminal::explain::Rule};

const RULE: Rule = Rule {
    title: "Revoke the tokens",
    because: "Ending the refresh token ends the whole grant; nothing that was issued works longer \
              than the server allows.",
    section: "RFC 7009 §2.1",
};

/// Revokes the refresh token of `grant`, which ends the whole grant, or else its access token.
/// Returns `false` if the server offers no revocation.
pub(crate) async fn revoke(
    fetch: &Fetch,
    clock: &Clock,
    grant: &Grant,
) -> Result<bool, OAuthError> {
    let metadata = authorization_server_metadata::discover(fetch, &grant.issuer).await?;
    let Some(endpoint) = metadata.revocation_endpoint()? else { return Ok(false) };
    fetch.explanation.step(&RULE);
    let (token, hint) = match &grant.refresh_token {
        Some(refresh_token) => (refresh_token, "refresh_token"),
        None => (&grant.access_token, "access_token"),
    };
    let form = [("token", token.reveal()), ("token_type_hint", hint)];
    let client = &grant.client;
    let sender = TokenEndpoint { fetch, metadata: &metadata, client, dpop_key: None, clock };
    let answer = sender.post(endpoint, &form).await?;
    match ErrorResponse::read(&answer) {
        None => Ok(true),
        Some(ErrorResponse { reason, .. }) => {
            Err(OAuthError::RevocationRefused { issuer: grant.issuer.clone(), reason })
        }
    }
}
