//! Client metadata as it was sent, and the rules that decide what of it is in force.

use keys::PublishedKeys;
use net::loopback::is_loopback;
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use super::{
    ApplicationType, AuthenticationMethod, ClientMetadata, GrantType, OperatorSettings, Provenance,
    check_name,
};
use crate::oauth::{
    error::{ErrorCode, OAuthError},
    redirect_uri::RedirectUri,
    scope::ScopeSet,
};

const MAX_REDIRECT_URIS: usize = 20;
/// Longest URI that is kept, in bytes.
const MAX_URI: usize = 1024;

/// The metadata in a registration or a metadata document. Members are read one by one, and unknown
/// ones not at all. A member that is null, an empty string or an empty array counts as absent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct RequestedMetadata(Map<String, Value>);

impl RequestedMetadata {
    /// Decides what is in force. Grants that this server does not offer, or that clients may not
    /// register themselves for, are ignored. A client that does not say how it authenticates is a
    /// public one, as the clients that leave it out expect.
    pub(crate) fn validate(&self, provenance: Provenance) -> Result<ClientMetadata, OAuthError> {
        if self.has("software_statement") {
            return Err(ErrorCode::UnapprovedSoftwareStatement.error(
                "software_statement",
                "Software statements are not accepted. Leave software_statement out.",
            ));
        }
        let grant_types = self.grant_types()?;
        let redirect_uris = self.redirect_uris(&grant_types)?;
        let (jwks, jwks_uri) = self.keys()?;
        let has_keys = jwks.is_some() || jwks_uri.is_some();
        self.check_scope()?;
        Ok(ClientMetadata {
            client_name: check_name(self.text("client_name")?)?,
            application_type: self.application_type(&redirect_uris)?,
            token_endpoint_auth_method: self.authentication_method(has_keys, provenance)?,
            redirect_uris,
            grant_types,
            jwks,
            jwks_uri,
            post_logout_redirect_uris: self.post_logout_redirect_uris()?,
            require_pushed_authorization_requests: self
                .flag("require_pushed_authorization_requests")?,
            dpop_bound_access_tokens: self.flag("dpop_bound_access_tokens")?,
            id_token_signed_response_alg: self.owned_text("id_token_signed_response_alg")?,
            userinfo_signed_response_alg: self.owned_text("userinfo_signed_response_alg")?,
            client_uri: self.link("client_uri")?,
            logo_uri: self.link("logo_uri")?,
            policy_uri: self.link("policy_uri")?,
            tos_uri: self.link("tos_uri")?,
            operator: OperatorSettings::default(),
        })
    }

    /// Whether the member is there and not empty.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.member(name).is_some()
    }

    /// A member that must be a string.
    pub(crate) fn text(&self, name: &'static str) -> Result<Option<&str>, OAuthError> {
        self.read(name, "a string", Value::as_str)
    }

    fn owned_text(&self, name: &'static str) -> Result<Option<String>, OAuthError> {
        Ok(self.text(name)?.map(str::to_owned))
    }

    fn texts(&self, name: &'static str) -> Result<Option<Vec<&str>>, OAuthError> {
        self.read(name, "an array of strings", |value| {
            value.as_array()?.iter().map(Value::as_str).collect()
        })
    }

    /// A flag limits what the client may do, so a value of another type is refused instead of taken
    /// for false.
    fn flag(&self, name: &'static str) -> Result<bool, OAuthError> {
        Ok(self.read(name, "true or false", Value::as_bool)?.unwrap_or_default())
    }

    fn read<'a, T>(
        &'a self,
        name: &'static str,
        kind: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, OAuthError> {
        let Some(value) = self.member(name) else {
            return Ok(None);
        };
        read(value).map(Some).ok_or_else(|| {
            ErrorCode::InvalidClientMetadata
                .error("metadata_member", format!("The {name} must be {kind}."))
        })
    }

    fn member(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| match value {
            Value::Null => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(list) => !list.is_empty(),
            _ => true,
        })
    }

    fn grant_types(&self) -> Result<Vec<GrantType>, OAuthError> {
        let Some(names) = self.texts("grant_types")? else {
            return Ok(vec![GrantType::AuthorizationCode]);
        };
        let known = names.into_iter().filter_map(GrantType::parse);
        let mut grants: Vec<_> = known.filter(|grant| grant.is_open()).collect();
        grants.dedup();
        if grants.iter().all(|grant| *grant == GrantType::RefreshToken) {
            return Err(refused("grant_types", "The grant_types must include authorization_code."));
        }
        Ok(grants)
    }

    fn redirect_uris(&self, grants: &[GrantType]) -> Result<Vec<RedirectUri>, OAuthError> {
        let is_needed = grants.contains(&GrantType::AuthorizationCode);
        let uris = self.texts("redirect_uris")?.unwrap_or_default();
        if is_needed && uris.is_empty() || uris.len() > MAX_REDIRECT_URIS {
            return Err(ErrorCode::InvalidRedirectUri
                .error("redirect_uris_number", "Register between 1 and 20 redirect_uris."));
        }
        let types = self.texts("response_types")?;
        if is_needed && types.is_some_and(|types| !types.contains(&"code")) {
            return Err(refused("response_types", "The response_types must include code."));
        }
        uris.into_iter().map(RedirectUri::parse).collect()
    }

    /// The application type that the redirect URIs show. Real clients register a loopback or a
    /// private-use redirect URI as `web`, or say nothing; they are native whatever they say, and
    /// the answer tells them so.
    fn application_type(&self, uris: &[RedirectUri]) -> Result<ApplicationType, OAuthError> {
        let requested = match self.text("application_type")? {
            None => ApplicationType::default(),
            Some(name) => ApplicationType::parse(name).ok_or_else(|| {
                refused("application_type", "The application_type must be native or web.")
            })?,
        };
        if uris.iter().any(RedirectUri::is_native) {
            return Ok(ApplicationType::Native);
        }
        Ok(requested)
    }

    /// The method that the client names if it can be used, or one of those that it offers (OpenID
    /// Connect RP Metadata Choices). Which one hardly matters, since a public client that has keys
    /// may authenticate by them as well.
    fn authentication_method(
        &self,
        has_keys: bool,
        provenance: Provenance,
    ) -> Result<AuthenticationMethod, OAuthError> {
        let offered = self.texts("token_endpoint_auth_methods_supported")?.unwrap_or_default();
        let named = self.text("token_endpoint_auth_method")?;
        if named.is_none() && offered.is_empty() {
            return Ok(AuthenticationMethod::None);
        }
        // Everyone can read a metadata document, so it cannot hold a secret.
        let can_have_secret = provenance != Provenance::MetadataDocument;
        let is_usable = |method: &AuthenticationMethod| match method {
            AuthenticationMethod::None => true,
            AuthenticationMethod::PrivateKeyJwt => has_keys,
            _ => can_have_secret,
        };
        let mut all = AuthenticationMethod::ALL.into_iter().filter(is_usable);
        let named = named.and_then(AuthenticationMethod::parse).filter(is_usable);
        named.or_else(|| all.find(|method| offered.contains(&method.as_str()))).ok_or_else(|| {
            refused(
                "token_endpoint_auth_method",
                "The token_endpoint_auth_method must be none, private_key_jwt with jwks or \
                 jwks_uri, or, in a registration, client_secret_basic or client_secret_post.",
            )
        })
    }

    /// `jwks` and `jwks_uri`, of which there is one at most.
    fn keys(&self) -> Result<(Option<Value>, Option<Url>), OAuthError> {
        let jwks = self.member("jwks");
        let uri = self.text("jwks_uri")?;
        if jwks.is_some() && uri.is_some() {
            return Err(refused("jwks", "Send jwks or jwks_uri, not both."));
        }
        if let Some(jwks) = jwks {
            check_jwks(jwks)?;
        }
        let uri = match uri {
            None => None,
            Some(uri) => Some(safe_url(uri).ok_or_else(|| {
                let description = "The jwks_uri must be an https URL without user information.";
                refused("metadata_uri", description)
            })?),
        };
        Ok((jwks.cloned(), uri))
    }

    /// An address that pages link to. One that no page would show is dropped, because it is no
    /// reason to turn a client away.
    fn link(&self, name: &'static str) -> Result<Option<Url>, OAuthError> {
        Ok(self.text(name)?.and_then(safe_url))
    }

    /// Only checks the form. The scope of a registration sets no limit, because step-up asks for more
    /// under the same registration.
    fn check_scope(&self) -> Result<(), OAuthError> {
        let parsed = self.text("scope")?.map(ScopeSet::parse).transpose();
        parsed.map(drop).map_err(|error| {
            refused(
                "scope",
                "The scope is too long, or holds a character that scopes may not have.",
            )
            .because(error)
        })
    }

    fn post_logout_redirect_uris(&self) -> Result<Vec<RedirectUri>, OAuthError> {
        let uris = self.texts("post_logout_redirect_uris")?.unwrap_or_default();
        if uris.len() > MAX_REDIRECT_URIS {
            return Err(refused(
                "post_logout_redirect_uris",
                "Register at most 20 post_logout_redirect_uris.",
            ));
        }
        let parsed = uris.into_iter().map(RedirectUri::parse);
        parsed.collect::<Result<_, _>>().map_err(|error: OAuthError| {
            ErrorCode::InvalidClientMetadata.error(
                "post_logout_redirect_uris",
                format!("A post_logout_redirect_uri is not allowed. {}", error.description),
            )
        })
    }
}

fn check_jwks(jwks: &Value) -> Result<(), OAuthError> {
    let keys = PublishedKeys::from_json(jwks.to_string().as_bytes()).map_err(|error| {
        refused("jwks", "The jwks must be a JWK Set of public keys only.").because(error)
    })?;
    if keys.is_empty() {
        let description = "The jwks must hold a public key for ES256, EdDSA or RS256.";
        return Err(refused("jwks", description));
    }
    Ok(())
}

/// An address that a page may link to, or that keys may be fetched from.
fn safe_url(text: &str) -> Option<Url> {
    let is_legal = text.len() <= MAX_URI && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"');
    let url = Url::parse(text).ok().filter(|_| is_legal)?;
    let is_safe = url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url);
    (is_safe && url.username().is_empty() && url.password().is_none()).then_some(url)
}

fn refused(reason: &'static str, description: &'static str) -> OAuthError {
    ErrorCode::InvalidClientMetadata.error(reason, description)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn requested(name: &str, value: Value) -> RequestedMetadata {
        let mut metadata = json!({"redirect_uris": ["https://app.test/cb"]});
        metadata[name] = value;
        serde_json::from_value(metadata).unwrap()
    }

    fn validated(name: &str, value: Value) -> Result<ClientMetadata, &'static str> {
        requested(name, value).validate(Provenance::Registered).map_err(|error| error.reason)
    }

    #[test]
    fn the_redirect_uris_decide_where_a_client_runs() {
        let of = |uris: Value| validated("redirect_uris", uris).unwrap().application_type;
        assert_eq!(of(json!(["https://app.test/cb"])), ApplicationType::Web);
        assert_eq!(of(json!(["https://app.test/cb", "cursor://x/cb"])), ApplicationType::Native);
        assert_eq!(of(json!(["http://localhost/cb"])), ApplicationType::Native);
        let asked = validated("application_type", json!("native")).unwrap();
        assert_eq!(asked.application_type, ApplicationType::Native);
        assert_eq!(
            validated("application_type", json!("desktop")).unwrap_err(),
            "application_type"
        );
    }

    #[test]
    fn of_several_methods_one_that_can_work_is_chosen() {
        let name = "token_endpoint_auth_methods_supported";
        let of = |methods: Value| {
            validated(name, methods).map(|client| client.token_endpoint_auth_method)
        };
        assert_eq!(of(json!(["private_key_jwt", "none"])), Ok(AuthenticationMethod::None));
        assert_eq!(of(json!(["tls_client_auth", "none"])), Ok(AuthenticationMethod::None));
        assert_eq!(of(json!(["tls_client_auth"])), Err("token_endpoint_auth_method"));
    }

    #[test]
    fn an_address_that_cannot_be_shown_is_dropped_and_keys_are_not_fetched_from_it() {
        for text in [
            "javascript:alert(1)",
            "data:text/html,x",
            "http://app.test",
            "//evil.test",
            "no address",
            "https://u:p@app.test",
            "https://app.test\" onload=\"",
        ] {
            for name in ["client_uri", "logo_uri", "policy_uri", "tos_uri"] {
                let client = validated(name, json!(text)).unwrap();
                let links = [client.client_uri, client.logo_uri, client.policy_uri, client.tos_uri];
                assert!(links.iter().all(Option::is_none), "{name} {text}");
            }
            assert_eq!(validated("jwks_uri", json!(text)).unwrap_err(), "metadata_uri", "{text}");
        }
        let client = validated("logo_uri", json!("https://app.test/logo.png")).unwrap();
        assert_eq!(client.logo_uri.unwrap().as_str(), "https://app.test/logo.png");
    }

    #[test]
    fn an_optional_member_that_says_nothing_is_absent() {
        for name in OPTIONAL_MEMBERS {
            for nothing in [Value::Null, json!(""), json!([])] {
                let client = validated(name, nothing.clone());
                let client = client.unwrap_or_else(|reason| panic!("{name} {nothing}: {reason}"));
                assert_eq!(client.grant_types, [GrantType::AuthorizationCode], "{name}");
                assert_eq!(client.token_endpoint_auth_method, AuthenticationMethod::None, "{name}");
            }
        }
    }

    #[test]
    fn a_member_of_a_wrong_type_is_named() {
        for name in OPTIONAL_MEMBERS.into_iter().chain(["redirect_uris"]) {
            for wrong in [json!(7), json!({"a": 1}), json!([7])] {
                let metadata = requested(name, wrong.clone());
                let error = metadata.validate(Provenance::Registered).unwrap_err();
                assert!(error.description.contains(name), "{wrong}: {}", error.description);
            }
        }
    }

    /// `jwks` is an object, so it has refusals of its own.
    const OPTIONAL_MEMBERS: [&str; 18] = [
        "client_name",
        "token_endpoint_auth_method",
        "token_endpoint_auth_methods_supported",
        "grant_types",
        "response_types",
        "application_type",
        "scope",
        "jwks",
        "jwks_uri",
        "client_uri",
        "logo_uri",
        "policy_uri",
        "tos_uri",
        "post_logout_redirect_uris",
        "dpop_bound_access_tokens",
        "require_pushed_authorization_requests",
        "id_token_signed_response_alg",
        "userinfo_signed_response_alg",
    ];

    #[test]
    fn a_client_cannot_set_the_members_of_an_operator() {
        for (name, value) in [
            ("scope", json!("mcp:tools")),
            ("resource", json!("https://mcp.test/")),
            ("access_token_format", json!("opaque")),
            ("backchannel_logout_uri", json!("https://app.test/logout")),
            ("backchannel_logout_session_required", json!(true)),
        ] {
            let client = validated(name, value).unwrap();
            assert_eq!(client.operator, OperatorSettings::default(), "{name}");
        }
    }

    #[test]
    fn nobody_gives_itself_a_grant_without_a_person() {
        let grants = json!(["authorization_code", "client_credentials", "password"]);
        let client = validated("grant_types", grants).unwrap();
        assert_eq!(client.grant_types, [GrantType::AuthorizationCode]);
        assert_eq!(validated("grant_types", json!(["refresh_token"])).unwrap_err(), "grant_types");
    }
}
