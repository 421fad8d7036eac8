//! Step 4: who this client is at one authorization server (RFC 7591).
//!
//! A registration names the exact address that the listener of this sign-in is bound to. Servers
//! that ignore the port of a loopback address (RFC 8252 §7.3) accept that, and so do those that
//! compare byte for byte; the next sign-in tries to bind the same port again.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderValue;
use serde::{Deserialize, Serialize};
use url::form_urlencoded::byte_serialize;

use super::{OAuthError, authorization_server_metadata::AuthorizationServerMetadata};
use crate::{fetch::Fetch, secret::Secret};

const CLIENT_NAME: &str = "Portcullis client";
const SOFTWARE_ID: &str = "portcullis-client";

/// What the authorization server knows this client by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientRegistration {
    /// The client's identifier.
    pub client_id: String,
    /// Its secret, if the server gave it one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<Secret>,
    /// When the secret expires, in seconds since 1970; 0 for never.
    #[serde(default)]
    pub client_secret_expires_at: i64,
    /// How the client proves itself at the token endpoint.
    pub authentication_method: ClientAuthenticationMethod,
    /// The redirect URI it registered.
    pub redirect_uri: String,
}

/// How a client proves itself at the token endpoint (RFC 7591 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthenticationMethod {
    /// Not at all: a public client, which PKCE protects.
    None,
    /// The secret in the `Authorization` header.
    ClientSecretBasic,
    /// The secret in the form.
    ClientSecretPost,
}

impl ClientAuthenticationMethod {
    /// The first method, from the least secret to keep, that the server accepts. A server that
    /// lists none leaves the choice to the client.
    fn choose(metadata: &AuthorizationServerMetadata) -> Result<Self, OAuthError> {
        let Some(accepted) = &metadata.token_endpoint_auth_methods_supported else {
            return Ok(Self::None);
        };
        [Self::None, Self::ClientSecretBasic, Self::ClientSecretPost]
            .into_iter()
            .find(|method| accepted.iter().any(|name| name == method.name()))
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
        }
    }
}

/// What the client adds to a form to prove itself.
#[derive(Clone, Debug, Default)]
pub struct ClientProof {
    /// The `Authorization` header.
    pub authorization: Option<HeaderValue>,
    /// Members of the form.
    pub form: Vec<(&'static str, String)>,
}

impl ClientRegistration {
    /// Whether it can still be used: its secret, if it has one, has not expired.
    pub fn is_current(&self, now: i64) -> bool {
        self.client_secret_expires_at == 0 || now < self.client_secret_expires_at
    }

    /// What to send to the token or revocation endpoint (RFC 6749 §2.3.1).
    pub fn proof(&self) -> ClientProof {
        let secret = self.client_secret.as_ref().map_or("", Secret::reveal);
        let client_id = ("client_id", self.client_id.clone());
        match self.authentication_method {
            ClientAuthenticationMethod::None => {
                ClientProof { authorization: None, form: vec![client_id] }
            }
            ClientAuthenticationMethod::ClientSecretPost => ClientProof {
                authorization: None,
                form: vec![client_id, ("client_secret", secret.to_owned())],
            },
            ClientAuthenticationMethod::ClientSecretBasic => {
                ClientProof { authorization: basic(&self.client_id, secret), form: Vec::new() }
            }
        }
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
    client_secret: Option<Secret>,
    client_secret_expires_at: Option<i64>,
    token_endpoint_auth_method: Option<ClientAuthenticationMethod>,
}

/// The error form of the answer (RFC 7591 §3.2.2).
#[derive(Deserialize)]
struct RegistrationError {
    error: String,
    error_description: Option<String>,
}

/// Registers this client with `redirect_uri`.
///
/// # Errors
/// [`OAuthError`] when the server offers no registration, refuses it or answers with nonsense.
pub async fn register(
    fetch: &Fetch,
    metadata: &AuthorizationServerMetadata,
    redirect_uri: &str,
) -> Result<ClientRegistration, OAuthError> {
    let Some(endpoint) = &metadata.registration_endpoint else {
        return Err(refused(metadata, "it lets no client register itself".to_owned()));
    };
    let method = ClientAuthenticationMethod::choose(metadata)?;
    let answer = fetch.post_json(endpoint, &client_metadata(redirect_uri, method)).await?;
    if !answer.status.is_success() {
        let reason = match answer.json::<RegistrationError>() {
            Ok(RegistrationError { error, error_description: Some(description) }) => {
                format!("{error}: {description}")
            }
            Ok(RegistrationError { error, error_description: None }) => error,
            Err(_) => format!("it answered {}", answer.status),
        };
        return Err(refused(metadata, reason));
    }
    let information: ClientInformation = answer.json()?;
    Ok(ClientRegistration {
        client_id: information.client_id,
        client_secret: information.client_secret,
        client_secret_expires_at: information.client_secret_expires_at.unwrap_or(0),
        authentication_method: information.token_endpoint_auth_method.unwrap_or(method),
        redirect_uri: redirect_uri.to_owned(),
    })
}

fn refused(metadata: &AuthorizationServerMetadata, reason: String) -> OAuthError {
    OAuthError::RegistrationRefused { issuer: metadata.issuer.clone(), reason }
}

/// What this client says about itself (RFC 7591 §2; `application_type` from OpenID Connect
/// Registration §2, which MCP asks for).
fn client_metadata(redirect_uri: &str, method: ClientAuthenticationMethod) -> serde_json::Value {
    serde_json::json!({
        "client_name": CLIENT_NAME,
        "software_id": SOFTWARE_ID,
        "software_version": env!("CARGO_PKG_VERSION"),
        "application_type": "native",
        "redirect_uris": [redirect_uri],
        "grant_types": ["authorization_code", "refresh_token"],
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
        ClientAuthenticationMethod::choose(&serde_json::from_value(metadata).expect("metadata"))
    }

    fn registered(method: ClientAuthenticationMethod) -> ClientRegistration {
        ClientRegistration {
            client_id: "a b".to_owned(),
            client_secret: Some(Secret::new("s:1")),
            client_secret_expires_at: 100,
            authentication_method: method,
            redirect_uri: "http://127.0.0.1:4242/callback".to_owned(),
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
        let basic = registered(ClientAuthenticationMethod::ClientSecretBasic).proof();
        let expected = format!("Basic {}", STANDARD.encode("a+b:s%3A1"));
        assert_eq!(basic.authorization, Some(HeaderValue::from_str(&expected).expect("a header")));
        assert!(basic.form.is_empty());

        let post = registered(ClientAuthenticationMethod::ClientSecretPost).proof();
        assert_eq!(post.form, [("client_id", "a b".into()), ("client_secret", "s:1".into())]);

        let none = registered(ClientAuthenticationMethod::None).proof();
        assert_eq!((none.form, none.authorization), (vec![("client_id", "a b".into())], None));
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
        let metadata =
            client_metadata("http://127.0.0.1:1/callback", ClientAuthenticationMethod::None);
        assert_eq!(metadata["application_type"], "native");
        assert_eq!(metadata["redirect_uris"][0], "http://127.0.0.1:1/callback");
        assert_eq!(metadata["token_endpoint_auth_method"], "none");
    }
}
