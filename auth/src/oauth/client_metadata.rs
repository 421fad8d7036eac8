//! What a client says of itself, in a registration or in its metadata document (RFC 7591 §2), and
//! what of it is in force.

use keys::PublishedKeys;
use serde::Deserialize;
use serde_json::Value;
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

/// Metadata as it was sent. Unknown members are passed over.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ClientMetadata {
    #[serde(default)]
    redirect_uris: Vec<String>,
    client_name: Option<String>,
    token_endpoint_auth_method: Option<String>,
    /// Several to choose from (OpenID Connect RP Metadata Choices).
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    application_type: Option<String>,
    scope: Option<String>,
    jwks: Option<Value>,
    jwks_uri: Option<String>,
    client_uri: Option<String>,
    logo_uri: Option<String>,
    policy_uri: Option<String>,
    tos_uri: Option<String>,
    post_logout_redirect_uris: Option<Vec<String>>,
    dpop_bound_access_tokens: Option<bool>,
    require_pushed_authorization_requests: Option<bool>,
    id_token_signed_response_alg: Option<String>,
    userinfo_signed_response_alg: Option<String>,
    software_statement: Option<Value>,
}

impl ClientMetadata {
    /// Decides what of the wishes is in force. Grants that are not served, or that nobody may
    /// give to itself, are passed over; a client that does not say how it authenticates is a
    /// public one, as the clients that leave it out expect.
    pub fn judge(&self, id: &str, provenance: Provenance) -> Result<Client, OAuthError> {
        if self.software_statement.is_some() {
            return Err(OAuthError::new(
                ErrorCode::UnapprovedSoftwareStatement,
                "software_statement",
                "Software statements are not accepted. Leave software_statement out.",
            ));
        }
        let grant_types = self.grant_types()?;
        let redirect_uris = self.redirect_uris(&grant_types)?;
        let keys = self.keys()?;
        Ok(Client {
            name: check_name(self.client_name.as_deref())?,
            application_type: self.application_type(&redirect_uris)?,
            authentication: self.authentication(&keys, provenance)?,
            scope: self.scope()?,
            client_uri: page("client_uri", self.client_uri.as_deref())?,
            logo_uri: page("logo_uri", self.logo_uri.as_deref())?,
            policy_uri: page("policy_uri", self.policy_uri.as_deref())?,
            tos_uri: page("tos_uri", self.tos_uri.as_deref())?,
            post_logout_redirect_uris: self.post_logout_redirect_uris()?,
            dpop_bound_access_tokens: self.dpop_bound_access_tokens.unwrap_or_default(),
            require_pushed_authorization_requests: self
                .require_pushed_authorization_requests
                .unwrap_or_default(),
            id_token_signed_response_alg: self.id_token_signed_response_alg.clone(),
            userinfo_signed_response_alg: self.userinfo_signed_response_alg.clone(),
            redirect_uris,
            grant_types,
            keys,
            ..Client::new(id, provenance)
        })
    }

    /// Whether the client says what it is called.
    pub fn has_name(&self) -> bool {
        self.client_name.is_some()
    }

    fn grant_types(&self) -> Result<Vec<GrantType>, OAuthError> {
        let Some(names) = &self.grant_types else {
            return Ok(vec![GrantType::AuthorizationCode]);
        };
        let known = names.iter().filter_map(|name| GrantType::parse(name));
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
        let number = self.redirect_uris.len();
        if is_needed && number == 0 || number > MOST_REDIRECT_URIS {
            return Err(OAuthError::new(
                ErrorCode::InvalidRedirectUri,
                "redirect_uris_number",
                "Register between 1 and 20 redirect_uris.",
            ));
        }
        let types = self.response_types.as_deref();
        if is_needed && types.is_some_and(|types| !types.iter().any(|one| one == "code")) {
            return Err(refused("response_types", "The response_types must include code."));
        }
        self.redirect_uris.iter().map(|uri| RedirectUri::parse(uri)).collect()
    }

    /// The application type that the redirect URIs show. Real clients register a loopback or a
    /// private-use redirect URI as `web`, or say nothing; they are native whatever they say, and
    /// the answer tells them so.
    fn application_type(&self, uris: &[RedirectUri]) -> Result<ApplicationType, OAuthError> {
        let asked = match self.application_type.as_deref() {
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

    /// The method that the client names if it can be used, or one of those that it offers: which
    /// one hardly matters, since a public client that has keys may prove itself by them as well.
    fn authentication(
        &self,
        keys: &ClientKeys,
        provenance: Provenance,
    ) -> Result<AuthenticationMethod, OAuthError> {
        let choices = self.token_endpoint_auth_methods_supported.as_deref().unwrap_or_default();
        let named = self.token_endpoint_auth_method.as_deref();
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
        let offers = |method: &AuthenticationMethod| choices.iter().any(|c| c == method.as_str());
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
        match (&self.jwks, &self.jwks_uri) {
            (Some(_), Some(_)) => Err(refused("jwks", "Send jwks or jwks_uri, not both.")),
            (None, None) => Ok(ClientKeys::None),
            (None, Some(uri)) => {
                let uri = page("jwks_uri", Some(uri))?;
                Ok(uri.map(ClientKeys::JwksUri).unwrap_or_default())
            }
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

    /// No ceiling: step-up asks for more under the same registration. It is only checked for form.
    fn scope(&self) -> Result<Option<ScopeSet>, OAuthError> {
        match self.scope.as_deref().map(ScopeSet::parse) {
            Some(Err(error)) => Err(refused(
                "scope",
                "The scope is too long, or holds a character that scopes may not have.",
            )
            .because(error)),
            _ => Ok(None),
        }
    }

    fn post_logout_redirect_uris(&self) -> Result<Vec<String>, OAuthError> {
        let uris = self.post_logout_redirect_uris.as_deref().unwrap_or_default();
        if uris.len() > MOST_REDIRECT_URIS {
            return Err(refused(
                "post_logout_redirect_uris",
                "Register at most 20 post_logout_redirect_uris.",
            ));
        }
        let parsed = uris.iter().map(|uri| RedirectUri::parse(uri).map(|_| uri.clone()));
        parsed.collect::<Result<_, _>>().map_err(|error: OAuthError| {
            refused(
                "post_logout_redirect_uris",
                "A post_logout_redirect_uri points to a place that is not allowed.",
            )
            .because(error)
        })
    }
}

/// An address that a page may link to, or that keys may be fetched from.
fn page(name: &'static str, text: Option<&str>) -> Result<Option<Url>, OAuthError> {
    let Some(text) = text else {
        return Ok(None);
    };
    let is_plain = |url: &Url| {
        let is_safe = url.scheme() == "https" || url.scheme() == "http" && is_loopback(url);
        is_safe && url.username().is_empty() && url.password().is_none()
    };
    let legal =
        text.len() <= LONGEST_URI && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"');
    match Url::parse(text).ok().filter(|url| legal && is_plain(url)) {
        Some(url) => Ok(Some(url)),
        None => Err(OAuthError::new(
            ErrorCode::InvalidClientMetadata,
            "metadata_uri",
            format!("The {name} must be an https URL without user information."),
        )),
    }
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
    fn addresses_are_https_and_plain() {
        for text in [
            "javascript:alert(1)",
            "data:text/html,x",
            "http://app.test",
            "//evil.test",
            "https://u:p@app.test",
            "https://app.test\" onload=\"",
        ] {
            assert_eq!(judged("client_uri", json!(text)).unwrap_err(), "metadata_uri", "{text}");
            assert_eq!(judged("jwks_uri", json!(text)).unwrap_err(), "metadata_uri", "{text}");
        }
        assert!(judged("logo_uri", json!("https://app.test/logo.png")).is_ok());
    }

    #[test]
    fn nobody_gives_itself_a_grant_without_a_person() {
        let grants = json!(["authorization_code", "client_credentials", "password"]);
        let client = judged("grant_types", grants).unwrap();
        assert_eq!(client.grant_types, [GrantType::AuthorizationCode]);
        assert_eq!(judged("grant_types", json!(["refresh_token"])).unwrap_err(), "grant_types");
    }
}
