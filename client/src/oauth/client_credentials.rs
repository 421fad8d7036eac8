//! Instead of a user: the client itself is who the token is for (OAuth 2.1 §4.2, the MCP
//! extension `io.modelcontextprotocol/oauth-client-credentials`).

use super::{
    OAuthError,
    grant_type::CLIENT_CREDENTIALS,
    scope::Scope,
    token::{TokenEndpoint, TokenResponse},
};
use crate::terminal::explain::Rule;

const RULE: Rule = Rule {
    title: "Ask for a token as the client itself",
    because: "No person is involved; the client proves itself with its secret or its key and \
              names the one server the token is for.",
    section: "OAuth 2.1 §4.2, RFC 8707 §2.2",
};

/// Asks for a token for `resource`.
pub(crate) async fn ask(
    endpoint: &TokenEndpoint<'_>,
    resource: &str,
    scope: &Scope,
) -> Result<TokenResponse, OAuthError> {
    endpoint.fetch.explanation.step(&RULE);
    let scope = scope.to_string();
    let form =
        [("grant_type", CLIENT_CREDENTIALS), ("resource", resource), ("scope", scope.as_str())];
    endpoint.ask(&form).await
}
