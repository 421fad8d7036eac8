//! At the end: telling the authorization server that the tokens are no longer wanted (RFC 7009).

use super::{OAuthError, authorization_server_metadata, token::describe};
use crate::{credentials::Grant, fetch::Fetch};

/// Revokes the refresh token of `grant`, and with it the whole grant; the access token if that is
/// all there is. Returns `false` if the server offers no revocation.
///
/// # Errors
/// [`OAuthError`] when the server cannot be reached or refuses.
pub async fn revoke(fetch: &Fetch, grant: &Grant) -> Result<bool, OAuthError> {
    let metadata = authorization_server_metadata::discover(fetch, &grant.issuer).await?;
    let Some(endpoint) = &metadata.revocation_endpoint else { return Ok(false) };
    let (token, hint) = match &grant.refresh_token {
        Some(refresh_token) => (refresh_token, "refresh_token"),
        None => (&grant.access_token, "access_token"),
    };
    let proof = grant.client.proof();
    let mut form = vec![("token", token.reveal()), ("token_type_hint", hint)];
    form.extend(proof.form.iter().map(|(name, value)| (*name, value.as_str())));
    let answer = fetch.post_form(endpoint, &form, proof.authorization).await?;
    if answer.status.is_success() {
        return Ok(true);
    }
    let (_, reason) = describe(&answer);
    Err(OAuthError::RevocationRefused { issuer: grant.issuer.clone(), reason })
}
