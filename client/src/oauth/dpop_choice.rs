//! Aside: whether the tokens of a sign-in are bound to a key (RFC 9449 §5.1, RFC 9728 §2).

use super::{
    OAuthError, authorization_server_metadata::AuthorizationServerMetadata,
    challenge::AuthorizationChallenge, protected_resource::ProtectedResourceMetadata,
};

/// What the user wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum DpopChoice {
    /// If the MCP server takes such tokens and its authorization server issues them
    #[default]
    Auto,
    /// Always; a server that cannot is refused
    Always,
    /// Never; a server that insists is refused by its own answer
    Never,
}

impl DpopChoice {
    /// Whether a key is needed for this sign-in.
    pub(crate) fn applies(
        self,
        challenge: &AuthorizationChallenge,
        resource: &ProtectedResourceMetadata,
        server: &AuthorizationServerMetadata,
    ) -> Result<bool, OAuthError> {
        let is_insisted_on = self == Self::Always || resource.insists_on_dpop();
        let is_welcome = challenge.offers_dpop || resource.offers_dpop();
        match (self, server.offers_dpop()) {
            (Self::Never, _) => Ok(false),
            (_, true) => Ok(is_insisted_on || is_welcome),
            (_, false) if is_insisted_on || challenge.offers_only_dpop => {
                Err(OAuthError::NoDpop { issuer: server.issuer.clone() })
            }
            (_, false) => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applies(choice: DpopChoice, header: &str, resource: &str, offered: bool) -> Option<bool> {
        let algorithms: &[&str] = if offered { &["ES256"] } else { &[] };
        let server = serde_json::json!({
            "issuer": "https://as.example",
            "dpop_signing_alg_values_supported": algorithms,
        });
        let server = serde_json::from_value(server).expect("metadata");
        let resource = serde_json::from_str(resource).expect("metadata");
        choice.applies(&AuthorizationChallenge::parse(header), &resource, &server).ok()
    }

    const BEARER: &str = "Bearer scope=a";
    const PLAIN: &str = r#"{"resource":"https://mcp.example"}"#;
    const BOUND: &str =
        r#"{"resource":"https://mcp.example","dpop_bound_access_tokens_required":true}"#;

    #[test]
    fn a_key_is_used_where_both_servers_can() {
        assert_eq!(applies(DpopChoice::Auto, BEARER, PLAIN, true), Some(false));
        assert_eq!(applies(DpopChoice::Auto, "DPoP scope=a", PLAIN, true), Some(true));
        assert_eq!(applies(DpopChoice::Auto, BEARER, BOUND, true), Some(true));
        assert_eq!(applies(DpopChoice::Always, BEARER, PLAIN, true), Some(true));
        assert_eq!(applies(DpopChoice::Never, "DPoP scope=a", BOUND, true), Some(false));
    }

    #[test]
    fn a_key_that_is_insisted_on_is_never_left_out() {
        assert_eq!(applies(DpopChoice::Auto, BEARER, BOUND, false), None);
        assert_eq!(applies(DpopChoice::Auto, "DPoP scope=a", PLAIN, false), None);
        assert_eq!(applies(DpopChoice::Always, BEARER, PLAIN, false), None);
        assert_eq!(applies(DpopChoice::Auto, "Bearer, DPoP", PLAIN, false), Some(false));
    }
}
