//! Step 3: the authorization server's endpoints and abilities (RFC 8414, OpenID Connect Discovery).

use std::collections::BTreeSet;

use serde::Deserialize;
use url::Url;

use super::{
    OAuthError,
    scope::Scope,
    well_known::{first_document, list},
};
use crate::{explain::Rule, fetch::Fetch};

const RULE: Rule = Rule {
    title: "Ask the authorization server for its endpoints",
    because: "The issuer it states must be the one that was named, byte for byte; otherwise one \
              server could pass for another.",
    section: "RFC 8414 §3.3, MCP authorization-server-discovery",
};

/// What an authorization server says about itself (RFC 8414 §2), checked by [`discover`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AuthorizationServerMetadata {
    /// Its identifier, exactly as sent.
    pub issuer: String,
    /// Where the browser goes.
    pub authorization_endpoint: Option<Url>,
    /// Where codes and refresh tokens become access tokens.
    pub token_endpoint: Option<Url>,
    /// Where a client introduces itself (RFC 7591).
    pub registration_endpoint: Option<Url>,
    /// Where tokens are ended (RFC 7009).
    pub revocation_endpoint: Option<Url>,
    /// Where a device without a browser asks for a code to show (RFC 8628 §4).
    pub device_authorization_endpoint: Option<Url>,
    /// Where the person's name is asked for (OpenID Connect Core §5.3).
    pub userinfo_endpoint: Option<Url>,
    #[serde(default)]
    code_challenge_methods_supported: Vec<String>,
    /// How a client may prove itself at the token endpoint, if the server says.
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    scopes_supported: Option<Vec<String>>,
    /// Whether every authorization response carries `iss` (RFC 9207 §3).
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
    /// Whether a client may be known by the address of its metadata document.
    #[serde(default)]
    pub client_id_metadata_document_supported: bool,
    #[serde(default)]
    dpop_signing_alg_values_supported: Vec<String>,
}

impl AuthorizationServerMetadata {
    /// What a server of revision 2025-03-26 without metadata is taken to say.
    ///
    /// # Errors
    /// [`OAuthError::InvalidIssuer`].
    pub(super) fn by_convention(issuer: &str) -> Result<Self, OAuthError> {
        let at = |path: &str| Url::parse(&format!("{issuer}{path}")).ok();
        let metadata = serde_json::json!({
            "issuer": issuer,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "registration_endpoint": at("/register"),
            "code_challenge_methods_supported": ["S256"],
        });
        serde_json::from_value(metadata)
            .map_err(|_| OAuthError::InvalidIssuer { issuer: issuer.to_owned() })
    }

    /// `scopes_supported`, if it is there.
    pub fn scope(&self) -> Option<Scope> {
        self.scopes_supported.as_ref().map(|scopes| Scope::parse(&scopes.join(" ")))
    }

    /// The token endpoint.
    ///
    /// # Errors
    /// [`OAuthError::MissingEndpoint`].
    pub fn token_endpoint(&self) -> Result<&Url, OAuthError> {
        self.token_endpoint.as_ref().ok_or_else(|| self.missing("token_endpoint"))
    }

    /// The authorization endpoint of a server that can be trusted with a code flow: one without
    /// PKCE leaves the code to whoever intercepts it, so it is refused (OAuth 2.1 §7.5).
    ///
    /// # Errors
    /// [`OAuthError::MissingEndpoint`] or [`OAuthError::NoPkce`].
    pub fn authorization_endpoint(&self) -> Result<&Url, OAuthError> {
        if !self.code_challenge_methods_supported.iter().any(|method| method == "S256") {
            return Err(OAuthError::NoPkce { issuer: self.issuer.clone() });
        }
        self.authorization_endpoint.as_ref().ok_or_else(|| self.missing("authorization_endpoint"))
    }

    /// Where a device asks for a code.
    ///
    /// # Errors
    /// [`OAuthError::MissingEndpoint`].
    pub fn device_authorization_endpoint(&self) -> Result<&Url, OAuthError> {
        let endpoint = self.device_authorization_endpoint.as_ref();
        endpoint.ok_or_else(|| self.missing("device_authorization_endpoint"))
    }

    /// Whether it binds tokens to keys of the kind this client makes (RFC 9449 §5.1).
    pub fn offers_dpop(&self) -> bool {
        self.dpop_signing_alg_values_supported.iter().any(|name| name == "ES256")
    }

    /// The origins of the endpoints that a sign-in leads to, without that of the issuer.
    pub fn foreign_origins(&self) -> BTreeSet<String> {
        let own = Url::parse(&self.issuer).map(|issuer| issuer.origin());
        let endpoints = [
            &self.authorization_endpoint,
            &self.device_authorization_endpoint,
            &self.token_endpoint,
        ];
        let origins = endpoints.into_iter().flatten().map(Url::origin);
        let foreign = origins.filter(|origin| own.as_ref() != Ok(origin));
        foreign.map(|origin| origin.ascii_serialization()).collect()
    }

    fn missing(&self, endpoint: &'static str) -> OAuthError {
        OAuthError::MissingEndpoint { issuer: self.issuer.clone(), endpoint }
    }

    fn endpoints(&self) -> impl Iterator<Item = &Url> {
        [
            &self.authorization_endpoint,
            &self.token_endpoint,
            &self.registration_endpoint,
            &self.revocation_endpoint,
            &self.userinfo_endpoint,
            &self.device_authorization_endpoint,
        ]
        .into_iter()
        .flatten()
    }
}

/// Fetches the metadata of `issuer` from its well-known places, in order, and checks that it is
/// about `issuer`, byte for byte (RFC 8414 §3.3).
///
/// # Errors
/// [`OAuthError`] when there is none, it is unusable, it names another issuer or an endpoint that
/// nothing may be sent to.
pub async fn discover(
    fetch: &Fetch,
    issuer: &str,
) -> Result<AuthorizationServerMetadata, OAuthError> {
    fetch.explanation.step(&RULE);
    let candidates = well_known_urls(issuer)?;
    let found = first_document::<AuthorizationServerMetadata>(fetch, &candidates).await?;
    let Some((url, metadata)) = found else {
        let (issuer, tried) = (issuer.to_owned(), list(&candidates));
        return Err(OAuthError::NoAuthorizationServerMetadata { issuer, tried });
    };
    check(fetch, &metadata, issuer, &url).await?;
    let methods = &metadata.code_challenge_methods_supported;
    fetch.explanation.fact("issuer", &metadata.issuer);
    fetch.explanation.fact("code_challenge_methods_supported", methods.join(" "));
    Ok(metadata)
}

/// The metadata at the root of `origin`, if there is any (revision 2025-03-26).
///
/// # Errors
/// As [`discover`], except that there need not be any.
pub(super) async fn at_root(
    fetch: &Fetch,
    origin: &str,
) -> Result<Option<AuthorizationServerMetadata>, OAuthError> {
    let candidates = well_known_urls(origin)?;
    let Some((url, metadata)) = first_document(fetch, &candidates).await? else { return Ok(None) };
    check(fetch, &metadata, origin, &url).await?;
    Ok(Some(metadata))
}

async fn check(
    fetch: &Fetch,
    metadata: &AuthorizationServerMetadata,
    issuer: &str,
    found_at: &Url,
) -> Result<(), OAuthError> {
    if metadata.issuer != issuer {
        return Err(OAuthError::IssuerMismatch {
            url: found_at.to_string(),
            expected: issuer.to_owned(),
            found: metadata.issuer.clone(),
        });
    }
    for endpoint in metadata.endpoints() {
        fetch.check(endpoint).await?;
    }
    Ok(())
}

/// The places to look (MCP authorization, "Authorization Server Metadata Discovery"). With a path:
/// inserted for RFC 8414, inserted for OpenID Connect, appended for OpenID Connect. Without: both
/// documents at the root.
fn well_known_urls(issuer: &str) -> Result<Vec<Url>, OAuthError> {
    let invalid = || OAuthError::InvalidIssuer { issuer: issuer.to_owned() };
    let base = Url::parse(issuer).map_err(|_| invalid())?;
    if base.cannot_be_a_base() || base.query().is_some() || base.fragment().is_some() {
        return Err(invalid());
    }
    let path = base.path().trim_end_matches('/');
    let mut places = vec![
        format!("/.well-known/oauth-authorization-server{path}"),
        format!("/.well-known/openid-configuration{path}"),
    ];
    if !path.is_empty() {
        places.push(format!("{path}/.well-known/openid-configuration"));
    }
    let at = |place: String| {
        let mut url = base.clone();
        url.set_path(&place);
        url
    };
    Ok(places.into_iter().map(at).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::Explanation;

    fn places(issuer: &str) -> Vec<String> {
        well_known_urls(issuer).expect("an issuer").iter().map(Url::to_string).collect()
    }

    fn metadata() -> AuthorizationServerMetadata {
        serde_json::from_value(serde_json::json!({
            "issuer": "https://as.example",
            "authorization_endpoint": "https://as.example/authorize",
            "token_endpoint": "https://as.example/token",
            "code_challenge_methods_supported": ["S256"],
        }))
        .expect("metadata")
    }

    async fn checked(
        metadata: &AuthorizationServerMetadata,
        issuer: &str,
    ) -> Result<(), OAuthError> {
        let place = Url::parse("https://as.example/.well-known/x").expect("a URL");
        let fetch = Fetch::new(&place, Explanation::default()).expect("set up");
        check(&fetch, metadata, issuer, &place).await
    }

    #[test]
    fn an_issuer_without_path_has_two_places() {
        assert_eq!(
            places("http://localhost:3000"),
            [
                "http://localhost:3000/.well-known/oauth-authorization-server",
                "http://localhost:3000/.well-known/openid-configuration"
            ]
        );
    }

    #[test]
    fn an_issuer_with_a_path_has_three_and_never_the_root() {
        assert_eq!(
            places("https://as.example/tenant1/"),
            [
                "https://as.example/.well-known/oauth-authorization-server/tenant1",
                "https://as.example/.well-known/openid-configuration/tenant1",
                "https://as.example/tenant1/.well-known/openid-configuration"
            ]
        );
    }

    #[test]
    fn an_issuer_with_query_or_fragment_or_without_host_is_refused() {
        for issuer in ["https://as.example?x=1", "https://as.example#x", "mailto:as", "as.example"]
        {
            assert!(well_known_urls(issuer).is_err(), "{issuer}");
        }
    }

    #[tokio::test]
    async fn issuers_are_compared_byte_for_byte() {
        assert!(checked(&metadata(), "https://as.example").await.is_ok());
        for other in ["https://as.example/", "https://AS.example", "https://as.example:443"] {
            let refused = checked(&metadata(), other).await;
            assert!(matches!(refused, Err(OAuthError::IssuerMismatch { .. })), "{other}");
        }
    }

    #[tokio::test]
    async fn an_endpoint_in_the_clear_is_refused() {
        let mut metadata = metadata();
        metadata.token_endpoint = Url::parse("http://as.example/token").ok();
        assert!(checked(&metadata, "https://as.example").await.is_err());
    }

    #[test]
    fn an_endpoint_elsewhere_is_named() {
        let mut metadata = metadata();
        assert!(metadata.foreign_origins().is_empty());
        metadata.token_endpoint = Url::parse("https://evil.example/token").ok();
        metadata.authorization_endpoint = Url::parse("https://as.example:8443/authorize").ok();
        let foreign: Vec<_> = metadata.foreign_origins().into_iter().collect();
        assert_eq!(foreign, ["https://as.example:8443", "https://evil.example"]);
    }

    #[test]
    fn a_server_without_s256_is_refused() {
        let mut metadata = metadata();
        assert!(metadata.authorization_endpoint().is_ok());
        metadata.code_challenge_methods_supported = vec!["plain".to_owned()];
        assert!(matches!(metadata.authorization_endpoint(), Err(OAuthError::NoPkce { .. })));
    }
}
