//! Step 4: who this client is at one authorization server (RFC 7591).
//!
//! A registration names the exact address that the listener of this sign-in is bound to. Servers
//! that ignore the port of a loopback address (RFC 8252 §7.3) accept that, and so do those that
//! compare byte for byte; the next sign-in tries to bind the same port again.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderValue;
use serde::{Deserialize, Serialize};
use url::form_urlencoded::byte_serialize;

use super::{
    OAuthError,
    authorization_server_metadata::AuthorizationServerMetadata,
    client_assertion::{ASSERTION_TYPE, ClientKey},
    error_response::ErrorResponse,
    grant_type::{AUTHORIZATION_CODE, DEVICE_CODE, REFRESH_TOKEN},
    member::{List, Seconds, optional},
};
use crate::{http::Fetch, secret::Secret, terminal::explain::Rule};

const CLIENT_NAME: &str = "Portcullis client";
const SOFTWARE_ID: &str = "portcullis-client";
/// Longest `client_id`, in bytes. Servers that seal the registration into it make long ones.
const MAX_CLIENT_ID: usize = 8 * 1024;
/// How a client that registered itself can authenticate, least secret first.
const ABLE: [ClientAuthenticationMethod; 3] = [
    ClientAuthenticationMethod::None,
    ClientAuthenticationMethod::ClientSecretBasic,
    ClientAuthenticationMethod::ClientSecretPost,
];
const RULE: Rule = Rule {
    title: "Register this client",
    because: "The server knows nothing of this program yet; it says what it is, a native \
              application, and the exact address the browser will come back to.",
    section: "RFC 7591 §3, OpenID Connect Registration §2",
};

/// This client as the authorization server knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ClientRegistration {
    pub(crate) client_id: String,
    /// Its secret, if the server gave it one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_secret: Option<Secret>,
    /// When the secret expires, in seconds since 1970; 0 for never.
    #[serde(default)]
    pub(crate) client_secret_expires_at: i64,
    /// How the client authenticates at the token endpoint.
    pub(crate) authentication_method: ClientAuthenticationMethod,
    #[serde(default)]
    pub(crate) redirect_uri: String,
    /// The key for assertions. It belongs to the user and is never stored.
    #[serde(skip)]
    pub(crate) key: Option<ClientKey>,
}

/// How a client authenticates at the token endpoint (RFC 7591 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClientAuthenticationMethod {
    /// Not at all: a public client, which PKCE protects.
    None,
    /// The secret in the `Authorization` header.
    ClientSecretBasic,
    /// The secret in the form.
    ClientSecretPost,
    /// An assertion signed with its private key (RFC 7523).
    PrivateKeyJwt,
}

impl ClientAuthenticationMethod {
    /// The first of `able`, which is in the order of preference, that the server accepts. A server
    /// that lists none leaves the choice to the client.
    pub(super) fn choose(
        metadata: &AuthorizationServerMetadata,
        able: &[Self],
    ) -> Result<Self, OAuthError> {
        let accepted = metadata.authentication_methods();
        able.iter()
            .copied()
            .find(|method| accepted.is_empty() || accepted.iter().any(|name| name == method.name()))
            .ok_or_else(|| OAuthError::NoAuthenticationMethod {
                issuer: metadata.issuer.clone(),
                methods: accepted.join(" "),
            })
    }

    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }
}

/// What a client registers for that signs in with a browser.
pub(crate) const BROWSER_GRANTS: &[&str] = &[AUTHORIZATION_CODE, REFRESH_TOKEN];
/// The same for codes that a user types elsewhere (RFC 8628). Servers expect a redirect URI and the
/// authorization code grant together.
pub(crate) const DEVICE_GRANTS: &[&str] = &[AUTHORIZATION_CODE, REFRESH_TOKEN, DEVICE_CODE];

/// How the client authenticates one request.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientProof {
    pub(crate) authorization: Option<HeaderValue>,
    pub(crate) form: Vec<(&'static str, String)>,
}

impl ClientRegistration {
    /// A client without a secret, known as `client_id`.
    pub(crate) fn public(client_id: String, redirect_uri: String) -> Self {
        Self {
            client_id,
            client_secret: None,
            client_secret_expires_at: 0,
            authentication_method: ClientAuthenticationMethod::None,
            redirect_uri,
            key: None,
        }
    }

    /// Whether the client secret, if there is one, has not expired.
    pub(crate) fn is_current(&self, now: i64) -> bool {
        self.client_secret_expires_at == 0 || now < self.client_secret_expires_at
    }

    /// Authenticates a request to the token or revocation endpoint of `issuer` (RFC 6749 §2.3.1).
    pub(crate) fn proof(&self, issuer: &str, now: i64) -> Result<ClientProof, OAuthError> {
        let secret = self.client_secret.as_ref().map_or("", Secret::reveal);
        let client_id = ("client_id", self.client_id.clone());
        let (authorization, form) = match self.authentication_method {
            ClientAuthenticationMethod::None => (None, vec![client_id]),
            ClientAuthenticationMethod::ClientSecretPost => {
                (None, vec![client_id, ("client_secret", secret.to_owned())])
            }
            ClientAuthenticationMethod::ClientSecretBasic => {
                // Many servers look up the client by `client_id` in the form before they read the
                // header, among them the official Python SDK. RFC 6749 §3.2.1 allows it.
                (basic(&self.client_id, secret), vec![client_id])
            }
            ClientAuthenticationMethod::PrivateKeyJwt => {
                let key = self.key.as_ref().ok_or_else(|| {
                    OAuthError::unusable_key("this client signs with a key that was not given")
                })?;
                let assertion = key.assertion(&self.client_id, issuer, now)?;
                let assertion = ("client_assertion", assertion);
                let kind = ("client_assertion_type", ASSERTION_TYPE.to_owned());
                (None, vec![client_id, kind, assertion])
            }
        };
        Ok(ClientProof { authorization, form })
    }
}

/// Both halves are form-encoded before they are joined (RFC 6749 §2.3.1).
fn basic(client_id: &str, secret: &str) -> Option<HeaderValue> {
    let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = STANDARD.encode(format!("{}:{}", encode(client_id), encode(secret)));
    let mut value = HeaderValue::from_str(&format!("Basic {pair}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The members of the answer that matter here (RFC 7591 §3.2.1).
#[derive(Deserialize)]
struct ClientInformation {
    client_id: String,
    #[serde(default, deserialize_with = "optional")]
    client_secret: Option<Secret>,
    #[serde(default, deserialize_with = "optional")]
    client_secret_expires_at: Option<Seconds>,
    #[serde(default, deserialize_with = "optional")]
    token_endpoint_auth_method: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    redirect_uris: Option<List>,
}

/// Registers this client with `redirect_uri` for `grant_types`.
pub(crate) async fn register(
    fetch: &Fetch,
    metadata: &AuthorizationServerMetadata,
    redirect_uri: &str,
    grant_types: &[&str],
) -> Result<ClientRegistration, OAuthError> {
    let Some(endpoint) = metadata.registration_endpoint()? else {
        return Err(refused(metadata, "it lets no client register itself".to_owned()));
    };
    fetch.explanation.step(&RULE);
    let method = ClientAuthenticationMethod::choose(metadata, &ABLE)?;
    let answer =
        fetch.post_json(endpoint, &client_metadata(redirect_uri, method, grant_types)).await?;
    if let Some(ErrorResponse { reason, .. }) = ErrorResponse::read(&answer) {
        return Err(refused(metadata, reason));
    }
    let information: ClientInformation = answer.json()?;
    let client = accept(information, method, redirect_uri)
        .map_err(|reason| refused(metadata, reason.to_owned()))?;
    fetch.explanation.fact("client_id", &client.client_id);
    Ok(client)
}

/// Checks that this client can use the registration as the server changed it (RFC 7591 §3.2.1).
fn accept(
    information: ClientInformation,
    asked: ClientAuthenticationMethod,
    redirect_uri: &str,
) -> Result<ClientRegistration, &'static str> {
    let ClientInformation { client_id, client_secret, redirect_uris, .. } = information;
    let is_plain = client_id.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if client_id.is_empty() || client_id.len() > MAX_CLIENT_ID || !is_plain {
        return Err("it assigned a client_id that no request can carry");
    }
    if redirect_uris.is_some_and(|List(uris)| !uris.iter().any(|uri| uri == redirect_uri)) {
        return Err("it registered another redirect URI than the one asked for");
    }
    let method = match information.token_endpoint_auth_method {
        Some(name) => ABLE
            .into_iter()
            .find(|method| method.name() == name)
            .ok_or("it wants client authentication that this client does not know")?,
        None => asked,
    };
    if method != ClientAuthenticationMethod::None && client_secret.is_none() {
        return Err("it wants a client secret and assigned none");
    }
    let expires_at = information.client_secret_expires_at;
    Ok(ClientRegistration {
        client_secret,
        client_secret_expires_at: expires_at.map_or(0, |Seconds(time)| time),
        authentication_method: method,
        ..ClientRegistration::public(client_id, redirect_uri.to_owned())
    })
}

fn refused(metadata: &AuthorizationServerMetadata, reason: String) -> OAuthError {
    OAuthError::RegistrationRefused { issuer: metadata.issuer.clone(), reason }
}

/// The metadata of this client (RFC 7591 §2; MCP requires `application_type` of OpenID Connect
/// Registration §2).
fn client_metadata(
    redirect_uri: &str,
    method: ClientAuthenticationMethod,
    grant_types: &[&str],
) -> serde_json::Value {
    serde_json::json!({
        "client_name": CLIENT_NAME,
        "software_id": SOFTWARE_ID,
        "software_version": env!("CARGO_PKG_VERSION"),
        "application_type": "native",
        "redirect_uris": [redirect_uri],
        "grant_types": grant_types,
        "response_types": ["code"],
        "token_endpoint_auth_method": method.name(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepting(methods: Option<&[&str]>) -> Result<ClientAuthenticationMethod, OAuthError> {
        let metadata = serde_json::json!({
            "issuer": "https://as.example",
            "token_endpoint_auth_methods_supported": methods,
        });
        let metadata = serde_json::from_value(metadata).expect("metadata");
        ClientAuthenticationMethod::choose(&metadata, &ABLE)
    }

    fn registered(method: ClientAuthenticationMethod) -> ClientRegistration {
        ClientRegistration {
            client_secret: Some(Secret::new("s:1")),
            client_secret_expires_at: 100,
            authentication_method: method,
            ..ClientRegistration::public("a b".into(), "http://127.0.0.1:4242/callback".into())
        }
    }

    #[test]
    fn a_public_client_is_preferred_and_strange_methods_are_refused() {
        use ClientAuthenticationMethod as Method;
        assert_eq!(accepting(None).ok(), Some(Method::None));
        assert_eq!(accepting(Some(&["client_secret_post", "none"])).ok(), Some(Method::None));
        let basic = accepting(Some(&["client_secret_post", "client_secret_basic"]));
        assert_eq!(basic.ok(), Some(Method::ClientSecretBasic));
        assert!(accepting(Some(&["tls_client_auth"])).is_err());
    }

    #[test]
    fn the_secret_travels_the_way_that_was_agreed() {
        let proof = |method| registered(method).proof("https://as.example", 1).expect("a proof");
        let basic = proof(ClientAuthenticationMethod::ClientSecretBasic);
        let expected = format!("Basic {}", STANDARD.encode("a+b:s%3A1"));
        assert_eq!(basic.authorization, Some(HeaderValue::from_str(&expected).expect("a header")));
        assert_eq!(basic.form, [("client_id", "a b".into())], "the Python SDK's server wants it");

        let post = proof(ClientAuthenticationMethod::ClientSecretPost);
        assert_eq!(post.form, [("client_id", "a b".into()), ("client_secret", "s:1".into())]);

        let none = proof(ClientAuthenticationMethod::None);
        assert_eq!((none.form, none.authorization), (vec![("client_id", "a b".into())], None));
    }

    #[test]
    fn a_hostile_registration_is_refused() {
        let redirect_uri = "http://127.0.0.1:1/callback";
        let accepted = |extra: serde_json::Value| {
            let mut answer = serde_json::json!({"client_id": "c1"});
            for (name, value) in extra.as_object().expect("an object") {
                answer[name] = value.clone();
            }
            let information = serde_json::from_value(answer).expect("an answer");
            accept(information, ClientAuthenticationMethod::None, redirect_uri).is_ok()
        };
        assert!(accepted(serde_json::json!({})));
        assert!(accepted(serde_json::json!({"redirect_uris": [redirect_uri]})));
        for hostile in [
            serde_json::json!({"client_id": ""}),
            serde_json::json!({"client_id": "a\r\nb"}),
            serde_json::json!({"client_id": "x".repeat(MAX_CLIENT_ID + 1)}),
            serde_json::json!({"redirect_uris": ["https://evil.example/callback"]}),
            serde_json::json!({"token_endpoint_auth_method": "tls_client_auth"}),
            serde_json::json!({"token_endpoint_auth_method": "client_secret_basic"}),
        ] {
            assert!(!accepted(hostile.clone()), "{hostile}");
        }
    }

    #[test]
    fn a_registration_ends_with_its_secret() {
        let mut registration = registered(ClientAuthenticationMethod::ClientSecretPost);
        assert!(registration.is_current(99) && !registration.is_current(100));
        registration.client_secret_expires_at = 0;
        assert!(registration.is_current(i64::MAX));
    }

    #[test]
    fn the_client_introduces_itself_as_a_native_application() {
        let metadata = |grant_types| {
            let method = ClientAuthenticationMethod::None;
            client_metadata("http://127.0.0.1:1/callback", method, grant_types)
        };
        assert!(metadata(DEVICE_GRANTS)["grant_types"].to_string().contains(DEVICE_CODE));
        let metadata = metadata(BROWSER_GRANTS);
        assert!(!metadata["grant_types"].to_string().contains(DEVICE_CODE));
        assert_eq!(metadata["application_type"], "native");
        assert_eq!(metadata["redirect_uris"][0], "http://127.0.0.1:1/callback");
        assert_eq!(metadata["token_endpoint_auth_method"], "none");
    }
}
