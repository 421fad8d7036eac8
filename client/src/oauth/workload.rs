//! Instead of a user: a workload sends an assertion of its platform (the MCP extension
//! "workload identity federation", RFC 7523 §2.1).

use super::{
    OAuthError,
    grant_type::JWT_BEARER,
    scope::Scope,
    token::{TokenEndpoint, TokenResponse},
};
use crate::{secret::Secret, terminal::explain::Rule};

const RULE: Rule = Rule {
    title: "Show the assertion of the platform",
    because: "The authorization server trusts whoever signed it. A refusal is final: the same \
              assertion is not shown again, and no other grant is tried.",
    section: "RFC 7523 §2.1, MCP workload-identity-federation",
};

/// Exchanges `assertion` for a token for `resource`.
pub(crate) async fn ask(
    endpoint: &TokenEndpoint<'_>,
    resource: &str,
    scope: &Scope,
    assertion: &Secret,
) -> Result<TokenResponse, OAuthError> {
    endpoint.fetch.explanation.step(&RULE);
    let form = [
        ("grant_type", JWT_BEARER),
        ("assertion", assertion.reveal()),
        ("resource", resource),
        ("scope", &scope.to_string()),
    ];
    endpoint.ask(&form).await
}
