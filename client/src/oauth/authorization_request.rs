//! Step 6: the address the browser opens, and what must be remembered until it comes back
//! (OAuth 2.1 §4.1.1, RFC 7636 §4.3, RFC 8707 §2.1).

use url::{Url, form_urlencoded};

use super::{
    OAuthError,
    discovery::Discovery,
    dpop::DpopKey,
    pkce::{CodeVerifier, random_text},
    registration::ClientRegistration,
    scope::Scope,
};
use crate::http::is_safe_to_open;

/// One authorization request. The response is only validated against this record, whose issuer
/// comes from validated metadata and is fixed before the browser opens.
#[derive(Debug)]
pub(crate) struct AuthorizationRequest {
    pub(crate) url: Url,
    /// The authorization server that is asked.
    pub(crate) issuer: String,
    /// Whether the server promises `iss` in its response (RFC 9207 §3).
    pub(crate) promises_iss: bool,
    /// Ties the response to this request.
    pub(crate) state: String,
    /// Ties the token request to this request.
    pub(crate) code_verifier: CodeVerifier,
    /// The client that asks, whose redirect URI the response comes to.
    pub(crate) client: ClientRegistration,
    /// The MCP server the token is for, byte for byte as its metadata says.
    pub(crate) resource: String,
    pub(crate) scope: Scope,
    /// The key that the tokens will be bound to.
    pub(crate) dpop_key: Option<DpopKey>,
}

impl AuthorizationRequest {
    /// A request to the discovered authorization server for `scope`, with tokens bound to
    /// `dpop_key` if there is one.
    pub(crate) fn new(
        discovery: &Discovery,
        client: ClientRegistration,
        scope: Scope,
        dpop_key: Option<DpopKey>,
    ) -> Result<Self, OAuthError> {
        let metadata = &discovery.authorization_server;
        let endpoint = metadata.authorization_endpoint()?;
        if !is_safe_to_open(endpoint) {
            return Err(OAuthError::UnsafeEndpoint { endpoint: endpoint.to_string() });
        }
        let mut request = Self {
            url: endpoint.clone(),
            issuer: metadata.issuer.clone(),
            promises_iss: metadata.authorization_response_iss_parameter_supported,
            state: random_text()?,
            code_verifier: CodeVerifier::generate()?,
            client,
            resource: discovery.resource.resource.clone(),
            scope,
            dpop_key,
        };
        request.add_parameters();
        Ok(request)
    }

    /// Adds the parameters of this request to the endpoint's own query. They replace parameters of
    /// the same name, because servers refuse repeated ones (RFC 6749 §3.1).
    fn add_parameters(&mut self) {
        let code_challenge = self.code_verifier.challenge();
        let scope = self.scope.to_string();
        let thumbprint = self.dpop_key.as_ref().map(DpopKey::thumbprint).unwrap_or_default();
        let is_for_offline_access = self.scope.covers(&Scope::parse("offline_access"));
        let mut parameters = vec![
            ("response_type", "code"),
            ("client_id", &self.client.client_id),
            ("redirect_uri", &self.client.redirect_uri),
            ("state", &self.state),
            ("code_challenge", &code_challenge),
            ("code_challenge_method", "S256"),
            ("resource", &self.resource),
            ("scope", &scope),
            // RFC 9449 §10: without the key, the code is useless.
            ("dpop_jkt", &thumbprint),
            // OpenID Connect Core §11: servers ignore `offline_access` without it.
            ("prompt", if is_for_offline_access { "consent" } else { "" }),
        ];
        parameters.retain(|(_, value)| !value.is_empty());
        let kept = query_without(&parameters, &self.url);
        self.url.set_query(kept.as_deref());
        self.url.query_pairs_mut().extend_pairs(parameters);
    }
}

/// The query of `url`, unchanged except that the parameters in `replaced` are removed.
fn query_without(replaced: &[(&str, &str)], url: &Url) -> Option<String> {
    let mut pairs: Vec<_> = url.query()?.split('&').collect();
    pairs.retain(|pair| {
        let name = form_urlencoded::parse(pair.as_bytes()).next().map(|(name, _)| name);
        !replaced.iter().any(|(known, _)| Some(*known) == name.as_deref())
    });
    (!pairs.is_empty()).then(|| pairs.join("&"))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// A request to a server whose metadata is `extra` on top of what every server must say.
    pub(crate) fn request(extra: serde_json::Value, scope: &str) -> AuthorizationRequest {
        let mut metadata = serde_json::json!({
            "issuer": "https://as.example",
            "authorization_endpoint": "https://as.example/authorize?tenant=1",
            "token_endpoint": "https://as.example/token",
            "code_challenge_methods_supported": ["S256"],
        });
        for (name, value) in extra.as_object().expect("an object") {
            metadata[name] = value.clone();
        }
        let resource = serde_json::json!({
            "resource": "https://MCP.example",
            "authorization_servers": ["https://as.example"],
        });
        let discovery = Discovery {
            resource: serde_json::from_value(resource).expect("metadata"),
            authorization_server: serde_json::from_value(metadata).expect("metadata"),
        };
        let redirect_uri = "http://127.0.0.1:4242/callback".to_owned();
        let client = ClientRegistration::public("c1".to_owned(), redirect_uri);
        let scope = Scope::parse(scope);
        AuthorizationRequest::new(&discovery, client, scope, None).expect("a request")
    }

    fn parameters(request: &AuthorizationRequest) -> BTreeMap<String, String> {
        request.url.query_pairs().into_owned().collect()
    }

    #[test]
    fn the_address_carries_everything_the_standards_ask_for() {
        let request = request(serde_json::json!({}), "mcp:tools profile");
        let sent = parameters(&request);
        assert_eq!(sent["response_type"], "code");
        assert_eq!(sent["client_id"], "c1");
        assert_eq!(sent["redirect_uri"], "http://127.0.0.1:4242/callback");
        assert_eq!(sent["code_challenge"], request.code_verifier.challenge());
        assert_eq!(sent["code_challenge_method"], "S256");
        assert_eq!(sent["scope"], "mcp:tools profile");
        assert_eq!(sent["state"], request.state);
        assert_eq!(sent["tenant"], "1", "the endpoint's own query stays");
        assert!(!sent.contains_key("prompt"));
    }

    #[test]
    fn the_resource_is_sent_byte_for_byte() {
        let sent = parameters(&request(serde_json::json!({}), ""));
        assert_eq!(sent["resource"], "https://MCP.example");
        assert!(!sent.contains_key("scope"), "an empty scope is left out");
    }

    #[test]
    fn no_parameter_goes_out_twice_and_the_rest_of_the_query_stays_as_it_is_spelled() {
        let endpoint = "https://as.example/authorize?a%20b=c%2Fd&client%5Fid=theirs&response_type=token\
            &state=fixed&&tenant=1&tenant=2&flag";
        let request = request(serde_json::json!({"authorization_endpoint": endpoint}), "s");
        let query = request.url.query().expect("a query");
        assert!(query.starts_with("a%20b=c%2Fd&&tenant=1&tenant=2&flag&response_type=code&"));
        for name in ["client_id", "response_type", "state", "scope", "resource"] {
            let values = request.url.query_pairs().filter(|(known, _)| known == name).count();
            assert_eq!(values, 1, "{name}");
        }
        assert_eq!(parameters(&request)["client_id"], "c1");
    }

    #[test]
    fn offline_access_comes_with_a_question_to_the_person() {
        let sent = parameters(&request(serde_json::json!({}), "a offline_access"));
        assert_eq!(sent["prompt"], "consent");
    }
}
