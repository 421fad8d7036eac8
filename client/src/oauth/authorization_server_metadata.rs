//! Step 3: the authorization server's endpoints and abilities (RFC 8414, OpenID Connect Discovery).

use std::collections::BTreeSet;

use serde::Deserialize;
use url::Url;

use super::{
    OAuthError,
    member::{List, Member, WrongMember, address, flag},
    scope::Scope,
    well_known::{Found, first_document},
};
use crate::{http::Fetch, terminal::explain::Rule};

const RULE: Rule = Rule {
    title: "Ask the authorization server for its endpoints",
    because: "The issuer it states must be the one that was named, byte for byte; otherwise one \
              server could pass for another.",
    section: "RFC 8414 §3.3, MCP authorization-server-discovery",
};

/// The metadata of an authorization server (RFC 8414 §2), validated by [`discover`]. Each member is
/// read on its own, and an invalid one is only refused where it is used.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct AuthorizationServerMetadata {
    /// Its identifier, exactly as sent.
    pub(crate) issuer: String,
    #[serde(default)]
    authorization_endpoint: Member<Url>,
    #[serde(default)]
    token_endpoint: Member<Url>,
    #[serde(default)]
    registration_endpoint: Member<Url>,
    #[serde(default)]
    revocation_endpoint: Member<Url>,
    #[serde(default)]
    device_authorization_endpoint: Member<Url>,
    #[serde(default)]
    userinfo_endpoint: Member<Url>,
    #[serde(default)]
    code_challenge_methods_supported: Member<List>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Member<List>,
    #[serde(default)]
    scopes_supported: Member<List>,
    /// Whether every authorization response carries `iss` (RFC 9207 §3).
    #[serde(default, deserialize_with = "flag")]
    pub(crate) authorization_response_iss_parameter_supported: bool,
    /// Whether a client may be known by the address of its metadata document.
    #[serde(default, deserialize_with = "flag")]
    pub(crate) client_id_metadata_document_supported: bool,
    #[serde(default)]
    dpop_signing_alg_values_supported: Member<List>,
}

impl AuthorizationServerMetadata {
    /// The assumed metadata of a server of revision 2025-03-26 that publishes none.
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

    pub(crate) fn scope(&self) -> Option<Scope> {
        self.scopes_supported.value().map(Scope::from)
    }

    /// The authentication methods of the token endpoint; empty if the server does not say.
    pub(crate) fn authentication_methods(&self) -> &[String] {
        items(&self.token_endpoint_auth_methods_supported)
    }

    /// Where codes and refresh tokens become access tokens.
    pub(crate) fn token_endpoint(&self) -> Result<&Url, OAuthError> {
        self.needed(&self.token_endpoint, "token_endpoint")
    }

    /// Where the browser goes. A server without PKCE is refused, because anyone who intercepts the
    /// code could use it (OAuth 2.1 §7.5).
    pub(crate) fn authorization_endpoint(&self) -> Result<&Url, OAuthError> {
        if !items(&self.code_challenge_methods_supported).iter().any(|method| method == "S256") {
            return Err(OAuthError::NoPkce { issuer: self.issuer.clone() });
        }
        let endpoint = self.needed(&self.authorization_endpoint, "authorization_endpoint")?;
        if endpoint.fragment().is_some() {
            let wrong = WrongMember {
                owner: self.issuer.clone(),
                name: "authorization_endpoint",
                value: endpoint.to_string(),
                expected: "an address without a fragment (RFC 6749 §3.1)",
            };
            return Err(wrong.into());
        }
        Ok(endpoint)
    }

    /// Where a device without a browser asks for a code to show (RFC 8628 §4).
    pub(crate) fn device_authorization_endpoint(&self) -> Result<&Url, OAuthError> {
        self.needed(&self.device_authorization_endpoint, "device_authorization_endpoint")
    }

    /// Where a client registers itself (RFC 7591), if the server supports it.
    pub(crate) fn registration_endpoint(&self) -> Result<Option<&Url>, OAuthError> {
        Ok(address(&self.registration_endpoint, &self.issuer, "registration_endpoint")?)
    }

    /// Where tokens are revoked (RFC 7009), if the server supports it.
    pub(crate) fn revocation_endpoint(&self) -> Result<Option<&Url>, OAuthError> {
        Ok(address(&self.revocation_endpoint, &self.issuer, "revocation_endpoint")?)
    }

    /// Where the user's name can be read (OpenID Connect Core §5.3), if the server supports it.
    pub(crate) fn userinfo_endpoint(&self) -> Option<&Url> {
        self.userinfo_endpoint.value()
    }

    fn needed<'a>(
        &self,
        member: &'a Member<Url>,
        endpoint: &'static str,
    ) -> Result<&'a Url, OAuthError> {
        let issuer = self.issuer.clone();
        address(member, &self.issuer, endpoint)?
            .ok_or(OAuthError::MissingEndpoint { issuer, endpoint })
    }

    /// Whether it binds tokens to keys of the kind this client makes (RFC 9449 §5.1).
    pub(crate) fn offers_dpop(&self) -> bool {
        items(&self.dpop_signing_alg_values_supported).iter().any(|name| name == "ES256")
    }

    /// The origins of the endpoints that a sign-in leads to, without that of the issuer.
    pub(crate) fn foreign_origins(&self) -> BTreeSet<String> {
        let own = Url::parse(&self.issuer).map(|issuer| issuer.origin());
        let endpoints = [
            &self.authorization_endpoint,
            &self.device_authorization_endpoint,
            &self.token_endpoint,
        ];
        let origins = endpoints.into_iter().filter_map(Member::value).map(Url::origin);
        let foreign = origins.filter(|origin| own.as_ref() != Ok(origin));
        foreign.map(|origin| origin.ascii_serialization()).collect()
    }
}

fn items(member: &Member<List>) -> &[String] {
    member.value().map_or(&[], |list| &list.0)
}

/// Fetches the metadata of `issuer` from its well-known places, in order, and checks that it is
/// about `issuer`, byte for byte (RFC 8414 §3.3).
pub(crate) async fn discover(
    fetch: &Fetch,
    issuer: &str,
) -> Result<AuthorizationServerMetadata, OAuthError> {
    fetch.explanation.step(&RULE);
    let metadata = match find(fetch, issuer).await? {
        Found::Document(metadata) => metadata,
        Found::Nothing { tried } => {
            let issuer = issuer.to_owned();
            return Err(OAuthError::NoAuthorizationServerMetadata { issuer, tried });
        }
    };
    let methods = items(&metadata.code_challenge_methods_supported);
    fetch.explanation.fact("issuer", &metadata.issuer);
    fetch.explanation.fact("code_challenge_methods_supported", methods.join(" "));
    Ok(metadata)
}

/// The metadata at the root of `origin`, if there is any (revision 2025-03-26).
pub(super) async fn at_root(
    fetch: &Fetch,
    origin: &str,
) -> Result<Option<AuthorizationServerMetadata>, OAuthError> {
    Ok(match find(fetch, origin).await? {
        Found::Document(metadata) => Some(metadata),
        Found::Nothing { .. } => None,
    })
}

async fn find(
    fetch: &Fetch,
    issuer: &str,
) -> Result<Found<AuthorizationServerMetadata>, OAuthError> {
    let is_about_issuer =
        |metadata: &AuthorizationServerMetadata, place: &Url| check(metadata, issuer, place);
    first_document(fetch, &well_known_urls(issuer)?, is_about_issuer).await
}

fn check(
    metadata: &AuthorizationServerMetadata,
    issuer: &str,
    found_at: &Url,
) -> Result<(), OAuthError> {
    if metadata.issuer == issuer {
        return Ok(());
    }
    Err(OAuthError::IssuerMismatch {
        url: found_at.to_string(),
        expected: issuer.to_owned(),
        found: metadata.issuer.clone(),
    })
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
    let urls = places.into_iter().map(|place| {
        let mut url = base.clone();
        url.set_path(&place);
        url
    });
    Ok(urls.collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn places(issuer: &str) -> Vec<String> {
        well_known_urls(issuer).expect("an issuer").iter().map(Url::to_string).collect()
    }

    /// Metadata that is `extra` on top of what every server must say.
    fn metadata(extra: serde_json::Value) -> AuthorizationServerMetadata {
        let mut metadata = json!({
            "issuer": "https://as.example",
            "authorization_endpoint": "https://as.example/authorize",
            "token_endpoint": "https://as.example/token",
            "code_challenge_methods_supported": ["S256"],
        });
        for (name, value) in extra.as_object().expect("an object") {
            metadata[name] = value.clone();
        }
        serde_json::from_value(metadata).expect("metadata")
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

    #[test]
    fn issuers_are_compared_byte_for_byte() {
        let place = Url::parse("https://as.example/.well-known/x").expect("a URL");
        let checked = |issuer: &str| check(&metadata(json!({})), issuer, &place);
        assert!(checked("https://as.example").is_ok());
        for other in ["https://as.example/", "https://AS.example", "https://as.example:443"] {
            let refused = checked(other);
            assert!(matches!(refused, Err(OAuthError::IssuerMismatch { .. })), "{other}");
        }
    }

    #[test]
    fn an_endpoint_elsewhere_is_named() {
        assert!(metadata(json!({})).foreign_origins().is_empty());
        let metadata = metadata(json!({
            "token_endpoint": "https://evil.example/token",
            "authorization_endpoint": "https://as.example:8443/authorize",
        }));
        let foreign: Vec<_> = metadata.foreign_origins().into_iter().collect();
        assert_eq!(foreign, ["https://as.example:8443", "https://evil.example"]);
    }

    #[test]
    fn a_server_without_s256_is_refused() {
        assert!(metadata(json!({})).authorization_endpoint().is_ok());
        for methods in [json!(["plain"]), json!(null), json!(""), json!(5), json!([["S256"]])] {
            let metadata = metadata(json!({"code_challenge_methods_supported": methods}));
            let refused = metadata.authorization_endpoint();
            assert!(matches!(refused, Err(OAuthError::NoPkce { .. })), "{methods}");
        }
    }

    #[test]
    fn an_authorization_endpoint_with_a_fragment_is_refused_and_named() {
        let endpoint = "https://as.example/authorize#sign-in";
        let refused = metadata(json!({"authorization_endpoint": endpoint}));
        let refused = refused.authorization_endpoint().expect_err("refused").to_string();
        assert!(refused.contains("`authorization_endpoint`") && refused.contains(endpoint));
    }

    #[test]
    fn a_wrong_member_is_refused_where_it_is_used_and_nowhere_else() {
        let wrong = json!({
            "registration_endpoint": "/register",
            "revocation_endpoint": ["https://as.example/revoke"],
            "userinfo_endpoint": 5,
            "device_authorization_endpoint": null,
            "scopes_supported": {"a": true},
            "token_endpoint_auth_methods_supported": "none",
            "authorization_response_iss_parameter_supported": "true",
            "client_id_metadata_document_supported": null,
            "dpop_signing_alg_values_supported": "",
        });
        let metadata = metadata(wrong);
        assert!(metadata.authorization_endpoint().is_ok() && metadata.token_endpoint().is_ok());
        assert!(metadata.userinfo_endpoint().is_none() && metadata.scope().is_none());
        assert!(metadata.authorization_response_iss_parameter_supported);
        assert_eq!(metadata.authentication_methods(), ["none"]);
        let refused = metadata.registration_endpoint().expect_err("refused").to_string();
        assert_eq!(
            refused,
            "`registration_endpoint` in the metadata of https://as.example is \"/register\", \
             which is not an address"
        );
        assert!(metadata.revocation_endpoint().is_err());
    }
}
