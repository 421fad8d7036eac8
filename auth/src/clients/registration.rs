//! Open registrations without a row: the `client_id` carries what was registered, sealed
//! (RFC 7591 appendix A.5.2). Anonymous callers can register for ever and the database stays small.

use keys::SealError;
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use crate::{
    oauth::{
        client::{
            ApplicationType, AuthenticationMethod, Client, ClientKeys, GrantType, Provenance,
        },
        redirect_uri::RedirectUri,
        secret::{self, Secret, SecretKind},
    },
    seals::Seals,
};

/// Tells a registered `client_id` from every other.
const PREFIX: &str = "dyn_";

/// What a client registered and is in force. Short names, because it travels in every request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Registration {
    #[serde(rename = "n")]
    name: String,
    #[serde(rename = "r")]
    redirect_uris: Vec<String>,
    #[serde(rename = "g")]
    grant_types: Vec<GrantType>,
    #[serde(rename = "m")]
    authentication: AuthenticationMethod,
    /// `client_id_issued_at`.
    #[serde(rename = "t")]
    pub issued_at: i64,
    /// Tells this registration from every other. A later change or deletion is stored under it.
    #[serde(rename = "x")]
    pub id: Uuid,
    #[serde(rename = "w", default, skip_serializing_if = "is_false")]
    is_web: bool,
    #[serde(rename = "d", default, skip_serializing_if = "is_false")]
    dpop_bound_access_tokens: bool,
    #[serde(rename = "q", default, skip_serializing_if = "is_false")]
    require_pushed_authorization_requests: bool,
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    jwks: Option<String>,
    #[serde(rename = "j", default, skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<Url>,
    #[serde(rename = "o", default, skip_serializing_if = "Vec::is_empty")]
    post_logout_redirect_uris: Vec<String>,
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    id_token_signed_response_alg: Option<String>,
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    userinfo_signed_response_alg: Option<String>,
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    client_uri: Option<Url>,
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    logo_uri: Option<Url>,
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    policy_uri: Option<Url>,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    tos_uri: Option<Url>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl Registration {
    /// What is kept of a client that has been judged and registers for the first time.
    pub fn new(client: Client, issued_at: i64) -> Self {
        let (jwks, jwks_uri) = match client.keys {
            ClientKeys::None => (None, None),
            ClientKeys::Jwks(text) => (Some(text), None),
            ClientKeys::JwksUri(uri) => (None, Some(uri)),
        };
        Self {
            name: client.name,
            redirect_uris: client.redirect_uris.iter().map(|u| u.as_str().to_owned()).collect(),
            grant_types: client.grant_types,
            authentication: client.authentication,
            issued_at,
            id: Uuid::new_v4(),
            is_web: client.application_type == ApplicationType::Web,
            dpop_bound_access_tokens: client.dpop_bound_access_tokens,
            require_pushed_authorization_requests: client.require_pushed_authorization_requests,
            jwks,
            jwks_uri,
            post_logout_redirect_uris: client
                .post_logout_redirect_uris
                .iter()
                .map(|uri| uri.as_str().to_owned())
                .collect(),
            id_token_signed_response_alg: client.id_token_signed_response_alg,
            userinfo_signed_response_alg: client.userinfo_signed_response_alg,
            client_uri: client.client_uri,
            logo_uri: client.logo_uri,
            policy_uri: client.policy_uri,
            tos_uri: client.tos_uri,
        }
    }

    /// The same registration with the metadata of `client` in its place.
    pub fn replaced_by(&self, client: Client) -> Self {
        Self { id: self.id, ..Self::new(client, self.issued_at) }
    }

    /// The `client_id` that carries it.
    pub fn seal(&self, seals: &Seals) -> Result<String, SealError> {
        Ok(format!("{PREFIX}{}", seals.registration.seal(self)?))
    }

    /// Reads a `client_id` back.
    pub fn open(seals: &Seals, id: &str) -> Result<Self, SealError> {
        let sealed = id.strip_prefix(PREFIX).ok_or(SealError::DoesNotOpen)?;
        seals.registration.open(sealed)
    }

    /// The client that it describes.
    pub fn client(self, seals: &Seals, id: &str) -> Client {
        let secret_hashes = match self.authentication.has_secret() {
            true => {
                let tags = seals.client_secret.tags(id.as_bytes());
                tags.map(|tag| secret_of(&tag).hash()).collect()
            }
            false => Vec::new(),
        };
        let keys = match (self.jwks, self.jwks_uri) {
            (Some(jwks), _) => ClientKeys::Jwks(jwks),
            (None, Some(uri)) => ClientKeys::JwksUri(uri),
            (None, None) => ClientKeys::None,
        };
        Client {
            name: self.name,
            redirect_uris: allowed(&self.redirect_uris),
            grant_types: self.grant_types,
            authentication: self.authentication,
            secret_hashes,
            keys,
            application_type: match self.is_web {
                true => ApplicationType::Web,
                false => ApplicationType::Native,
            },
            post_logout_redirect_uris: allowed(&self.post_logout_redirect_uris),
            require_pushed_authorization_requests: self.require_pushed_authorization_requests,
            dpop_bound_access_tokens: self.dpop_bound_access_tokens,
            id_token_signed_response_alg: self.id_token_signed_response_alg,
            userinfo_signed_response_alg: self.userinfo_signed_response_alg,
            client_uri: self.client_uri,
            logo_uri: self.logo_uri,
            policy_uri: self.policy_uri,
            tos_uri: self.tos_uri,
            registration_id: Some(self.id),
            ..Client::new(id, Provenance::Registered)
        }
    }
}

/// Those that may still be registered: an older version of this server may have allowed more.
fn allowed(uris: &[String]) -> Vec<RedirectUri> {
    uris.iter().filter_map(|uri| RedirectUri::parse(uri).ok()).collect()
}

/// Whether a `client_id` has the form of an open registration.
pub fn is_registered_id(id: &str) -> bool {
    id.starts_with(PREFIX)
}

/// The secret of a confidential client, derived from its `client_id`.
pub fn client_secret(seals: &Seals, id: &str) -> Secret {
    secret_of(&seals.client_secret.tag(id.as_bytes()))
}

/// What lets a client read, change and delete its registration (RFC 7592 §3), derived from its
/// `client_id`.
pub fn access_token(seals: &Seals, id: &str) -> Secret {
    let tag = seals.registration_access.tag(id.as_bytes());
    Secret::from_bytes(SecretKind::RegistrationAccess, &tag)
}

/// Whether `presented` is the registration access token of this client.
pub fn is_access_token(seals: &Seals, id: &str, presented: &str) -> bool {
    let of = |tag: [u8; 32]| Secret::from_bytes(SecretKind::RegistrationAccess, &tag).hash();
    let hash = secret::hash(presented);
    let mut tags = seals.registration_access.tags(id.as_bytes());
    tags.any(|tag| secret::same_hash(&of(tag), &hash))
}

fn secret_of(tag: &[u8; 32]) -> Secret {
    Secret::from_bytes(SecretKind::ClientSecret, tag)
}
