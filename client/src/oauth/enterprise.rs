//! Instead of consent: a company's identity provider vouches for the user (the MCP extension
//! `io.modelcontextprotocol/enterprise-managed-authorization`).
//!
//! The identity provider turns its own ID token into an assertion for one authorization server
//! and one resource (RFC 8693), which that server turns into an access token (RFC 7523).

use http::HeaderMap;
use serde::Deserialize;
use url::Url;

use super::{
    OAuthError,
    error_response::granted,
    grant_type::{JWT_BEARER, TOKEN_EXCHANGE},
    scope::Scope,
    token::{TokenEndpoint, TokenResponse},
};
use crate::{secret::Secret, terminal::explain::Rule};

const ID_JAG: &str = "urn:ietf:params:oauth:token-type:id-jag";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

const EXCHANGE: Rule = Rule {
    title: "Ask the identity provider for an assertion",
    because: "It is made for one authorization server and one resource, so it is of no use \
              anywhere else.",
    section: "RFC 8693 §2.1, MCP enterprise-managed-authorization",
};
const PRESENT: Rule = Rule {
    title: "Show the assertion to the authorization server",
    because: "It trusts the identity provider; the client still proves itself.",
    section: "RFC 7523 §2.1, MCP enterprise-managed-authorization",
};

/// The company's identity provider, and its ID token for the user.
#[derive(Clone, Debug)]
pub struct IdentityProvider {
    /// Where it exchanges tokens.
    pub token_endpoint: Url,
    /// What this client is called there.
    pub client_id: String,
    /// Its secret there, if it has one.
    pub client_secret: Option<Secret>,
    /// The ID token of the user who signed in there.
    pub id_token: Secret,
}

/// The answer of the exchange (RFC 8693 §2.2.1).
#[derive(Deserialize)]
struct ExchangeResponse {
    access_token: Secret,
    issued_token_type: String,
}

/// Exchanges the ID token for an assertion, and that for a token for `resource`.
pub(crate) async fn ask(
    endpoint: &TokenEndpoint<'_>,
    resource: &str,
    scope: &Scope,
    provider: &IdentityProvider,
) -> Result<TokenResponse, OAuthError> {
    let assertion = exchange(endpoint, resource, scope, provider).await?;
    endpoint.fetch.explanation.step(&PRESENT);
    // The assertion contains the scope and the resource.
    endpoint.ask(&[("grant_type", JWT_BEARER), ("assertion", assertion.reveal())]).await
}

async fn exchange(
    endpoint: &TokenEndpoint<'_>,
    resource: &str,
    scope: &Scope,
    provider: &IdentityProvider,
) -> Result<Secret, OAuthError> {
    endpoint.fetch.explanation.step(&EXCHANGE);
    let form = [
        ("grant_type", TOKEN_EXCHANGE),
        ("requested_token_type", ID_JAG),
        ("subject_token", provider.id_token.reveal()),
        ("subject_token_type", ID_TOKEN),
        ("audience", &endpoint.metadata.issuer),
        ("resource", resource),
        ("client_id", &provider.client_id),
        ("client_secret", provider.client_secret.as_ref().map_or("", Secret::reveal)),
        ("scope", &scope.to_string()),
    ];
    let url = &provider.token_endpoint;
    let answer = endpoint.fetch.post_form(url, &form, HeaderMap::new()).await?;
    let issuer = url.to_string();
    granted(&answer, &issuer)?;
    let response: ExchangeResponse = answer.json()?;
    if response.issued_token_type != ID_JAG {
        let reason = "it is not an identity assertion for another server".to_owned();
        return Err(OAuthError::UnusableToken { issuer, reason });
    }
    Ok(response.access_token)
}
