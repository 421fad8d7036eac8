//! What a client says of itself, in a registration or in its metadata document (RFC 7591 §2), and
//! what of it is in force.

use keys::PublishedKeys;
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use super::{
    client::{
        ApplicationType, AuthenticationMethod, Client, ClientKeys, GrantType, Provenance,
        check_name,
    },
    error::{ErrorCode, OAuthError},
    loopback::is_loopback,
    redirect_uri::RedirectUri,
    scope::ScopeSet,
};

const MOST_REDIRECT_URIS: usize = 20;
/// Longest URI that is kept, in bytes.
const LONGEST_URI: usize = 1024;

/// Metadata as it was sent. Members are read one by one, and unknown ones not at all. A member that
/// is null, an empty text or an empty list says nothing, so it is absent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct ClientMetadata(Map<String, Value>);

impl ClientMetadata {
    /// Decides what of the wishes is in force. Grants that are not served, or that nobody may
    /// give to itself, are passed over; a client that does not say how it authenticates is a
    /// public one, as the clients that leave it out expect.
    pub fn judge(&self, id: &str, provenance: Provenance) -> Result<Client, OAuthError> {
        if self.has("software_statement") {
            return Err(OAuthError::new(
                ErrorCode::UnapprovedSoftwareStatement,
                "software_statement",
                "Software statements are not accepted. Leave software_statement out.",
            ));
        }
        let grant_types = self.grant_types()?;
        let redirect_uris = self.redirect_uris(&grant_types)?;
        let keys = self.keys()?;
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Ok(Client {
            name: check_name(self.text("client_name")?)?,
            application_type: self.application_type(&redirect_uris)?,
            authentication: self.authentication(&keys, provenance)?,
            scope: self.scope()?,
            client_uri: self.link("client_uri")?,
            logo_uri: self.link("logo_uri")?,
            policy_uri: self.link("policy_uri")?,
            tos_uri: self.link("tos_uri")?,
            post_logout_redirect_uris: self.post_logout_redirect_uris()?,
            dpop_bound_access_tokens: self.flag("dpop_bound_access_tokens")?,
            require_pushed_authorization_requests: self
                .flag("require_pushed_authorization_requests")?,
            id_token_signed_response_alg: owned(self.text("id_token_signed_response_alg")?),
            userinfo_signed_response_alg: owned(self.text("userinfo_signed_response_alg")?),
            redirect_uris,
            grant_types,
            keys,
            ..Client::new(id, provenance)
        })
    }

    /// Whether the member is there and says something.
    pub fn has(&self, name: &str) -> bool {
        self.member(name).is_some()
    }

    /// A member that must be a string.
    pub fn text(&self, name: &'static str) -> Result<Option<&str>, OAuthError> {
        self.read(name, "a string", Value::as_str)
    }

    fn texts(&self, name: &'static str) -> Result<Option<Vec<&str>>, OAuthError> {
        self.read(name, "an array of strings", |value| {
            value.as_array()?.iter().map(Value::as_str).collect()
        })
    }

    /// It limits what the client may do, so another type is not taken for false.
    fn flag(&self, name: &'static str) -> Result<bool, OAuthError> {
        Ok(self.read(name, "true or false", Value::as_bool)?.unwrap_or_default())
    }

    fn read<'a, T>(
        &'a self,
        name: &'static str,
        kind: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, OAuthError> {
        let wrong = || {
            OAuthError::new(
                ErrorCode::InvalidClientMetadata,
                "metadata_member",
                format!("The {name} must be {kind}."),
            )
        };
        self.member(name).map(|value| read(value).ok_or_else(wrong)).transpose()
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
        let begins = |grant: &GrantType| *grant != GrantType::RefreshToken;
        match grants.iter().any(begins) {
            true => Ok(grants),
            false => {
                Err(refused("grant_types", "The grant_types must include authorization_code."))
            }
        }
    }

    fn redirect_uris(&self, grants: &[GrantType]) -> Result<Vec<RedirectUri>, OAuthError> {
        let is_needed = grants.contains(&GrantType::AuthorizationCode);
        let uris = self.texts("redirect_uris")?.unwrap_or_default();
        if is_needed && uris.is_empty() || uris.len() > MOST_REDIRECT_URIS {
            return Err(OAuthError::new(
                ErrorCode::InvalidRedirectUri,
                "redirect_uris_number",
                "Register between 1 and 20 redirect_uris.",
            ));
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
        let asked = match self.text("application_type")? {
            None => None,
            Some(name) => Some(ApplicationType::parse(name).ok_or_else(|| {
                refused("application_type", "The application_type must be native or web.")
            })?),
        };
        match uris.iter().any(RedirectUri::is_native) {
            true => Ok(ApplicationType::Native),
            false => Ok(asked.unwrap_or_default()),
        }
    }

    /// The method that the client names if it can be used, or one of those that it offers (OpenID
    /// Connect RP Metadata Choices): which one hardly matters, since a public client that has keys
    /// may prove itself by them as well.
    fn authentication(
        &self,
        keys: &ClientKeys,
        provenance: Provenance,
    ) -> Result<AuthenticationMethod, OAuthError> {
        let choices = self.texts("token_endpoint_auth_methods_supported")?.unwrap_or_default();
        let named = self.text("token_endpoint_auth_method")?;
        if named.is_none() && choices.is_empty() {
            return Ok(AuthenticationMethod::None);
        }
        // What a document says, everybody can read.
        let keeps_secrets = provenance != Provenance::MetadataDocument;
        let usable = |method: &AuthenticationMethod| match method {
            AuthenticationMethod::None => true,
            AuthenticationMethod::PrivateKeyJwt => *keys != ClientKeys::None,
            _ => keeps_secrets,
        };
        let offers = |method: &AuthenticationMethod| choices.contains(&method.as_str());
        let named = named.and_then(AuthenticationMethod::parse).filter(usable);
        let chosen = AuthenticationMethod::ALL.into_iter().filter(offers).find(usable);
        named.or(chosen).ok_or_else(|| {
            refused(
                "token_endpoint_auth_method",
                "The token_endpoint_auth_method must be none, private_key_jwt with jwks or \
                 jwks_uri, or, in a registration, client_secret_basic or client_secret_post.",
            )
        })
    }

    fn keys(&self) -> Result<ClientKeys, OAuthError> {
        match (self.member("jwks"), self.text("jwks_uri")?) {
            (Some(_), Some(_)) => Err(refused("jwks", "Send jwks or jwks_uri, not both.")),
            (None, None) => Ok(ClientKeys::None),
            (None, Some(uri)) => safe_url(uri).map(ClientKeys::JwksUri).ok_or_else(|| {
                let description = "The jwks_uri must be an https URL without user information.";
                refused("metadata_uri", description)
            }),
            (Some(jwks), None) => {
                let text = jwks.to_string();
                let keys = PublishedKeys::from_json(text.as_bytes());
                match keys.map(|keys| keys.is_empty()) {
                    Ok(false) => Ok(ClientKeys::Jwks(text)),
                    Ok(true) => Err(refused(
                        "jwks",
                        "The jwks must hold a public key for ES256, EdDSA or RS256.",
                    )),
                    Err(error) => {
                        Err(refused("jwks", "The jwks must be a JWK Set of public keys only.")
                            .because(error))
                    }
                }
            }
        }
    }

    /// An address that pages link to. One that no page would show is dropped: it is no reason to
    /// turn a client away.
    fn link(&self, name: &'static str) -> Result<Option<Url>, OAuthError> {
        Ok(self.text(name)?.and_then(safe_url))
    }

    /// No ceiling: step-up asks for more under the same registration. It is only checked for form.
    fn scope(&self) -> Result<Option<ScopeSet>, OAuthError> {
        match self.text("scope")?.map(ScopeSet::parse) {
            Some(Err(error)) => Err(refused(
                "scope",
                "The scope is too long, or holds a character that scopes may not have.",
            )
            .because(error)),
            _ => Ok(None),
        }
    }

    fn post_logout_redirect_uris(&self) -> Result<Vec<RedirectUri>, OAuthError> {
        let uris = self.texts("post_logout_redirect_uris")?.unwrap_or_default();
        if uris.len() > MOST_REDIRECT_URIS {
            return Err(refused(
                "post_logout_redirect_uris",
                "Register at most 20 post_logout_redirect_uris.",
            ));
        }
        let parsed = uris.into_iter().map(RedirectUri::parse);
        parsed.collect::<Result<_, _>>().map_err(|error: OAuthError| {
            OAuthError::new(
                ErrorCode::InvalidClientMetadata,
                "post_logout_redirect_uris",
                format!("A post_logout_redirect_uri is not allowed. {}", error.description),
            )
        })
    }
}

/// An address that a page may link to, or that keys may be fetched from.
fn safe_url(text: &str) -> Option<Url> {
    let is_plain = |url: &Url| {
        let is_safe = url.scheme() == "https" || url.scheme() == "http" && is_loopback(url);
        is_safe && url.username().is_empty() && url.password().is_none()
    };
    let legal =
        text.len() <= LONGEST_URI && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"');
    Url::parse(text).ok().filter(|url| legal && is_plain(url))
}

fn refused(reason: &'static str, description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClientMetadata, reason, description)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn judged(name: &str, value: Value) -> Result<Client, &'static str> {
        let mut metadata = json!({"redirect_uris": ["https://app.test/cb"]});
        metadata[name] = value;
        let metadata: ClientMetadata = serde_json::from_value(metadata).unwrap();
        metadata.judge("id", Provenance::Registered).map_err(|error| error.reason)
    }

    #[test]
    fn the_redirect_uris_decide_where_a_client_runs() {
        let of = |uris: Value| judged("redirect_uris", uris).unwrap().application_type;
        assert_eq!(of(json!(["https://app.test/cb"])), ApplicationType::Web);
        assert_eq!(of(json!(["https://app.test/cb", "cursor://x/cb"])), ApplicationType::Native);
        assert_eq!(of(json!(["http://localhost/cb"])), ApplicationType::Native);
        let asked = judged("application_type", json!("native")).unwrap();
        assert_eq!(asked.application_type, ApplicationType::Native);
        assert_eq!(judged("application_type", json!("desktop")).unwrap_err(), "application_type");
    }

    #[test]
    fn of_several_methods_one_that_can_work_is_chosen() {
        let name = "token_endpoint_auth_methods_supported";
        let of = |methods: Value| judged(name, methods).map(|client| client.authentication);
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
                let client = judged(name, json!(text)).unwrap();
                let links = [client.client_uri, client.logo_uri, client.policy_uri, client.tos_uri];
                assert!(links.iter().all(Option::is_none), "{name} {text}");
            }
            assert_eq!(judged("jwks_uri", json!(text)).unwrap_err(), "metadata_uri", "{text}");
        }
        let client = judged("logo_uri", json!("https://app.test/logo.png")).unwrap();
        assert_eq!(client.logo_uri.unwrap().as_str(), "https://app.test/logo.png");
    }

    #[test]
    fn an_optional_member_that_says_nothing_is_absent() {
        for name in OPTIONAL_MEMBERS {
            for nothing in [Value::Null, json!(""), json!([])] {
                let client = judged(name, nothing.clone());
                let client = client.unwrap_or_else(|reason| panic!("{name} {nothing}: {reason}"));
                assert_eq!(client.grant_types, [GrantType::AuthorizationCode], "{name}");
                assert_eq!(client.authentication, AuthenticationMethod::None, "{name}");
            }
        }
    }

    #[test]
    fn a_member_of_a_wrong_type_is_named() {
        for name in OPTIONAL_MEMBERS.into_iter().chain(["redirect_uris"]) {
            for wrong in [json!(7), json!({"a": 1}), json!([7])] {
                let mut metadata = json!({"redirect_uris": ["https://app.test/cb"]});
                metadata[name] = wrong.clone();
                let metadata: ClientMetadata = serde_json::from_value(metadata).unwrap();
                let error = metadata.judge("id", Provenance::Registered).unwrap_err();
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
    fn nobody_gives_itself_a_grant_without_a_person() {
        let grants = json!(["authorization_code", "client_credentials", "password"]);
        let client = judged("grant_types", grants).unwrap();
        assert_eq!(client.grant_types, [GrantType::AuthorizationCode]);
        assert_eq!(judged("grant_types", json!(["refresh_token"])).unwrap_err(), "grant_types");
    }
}
