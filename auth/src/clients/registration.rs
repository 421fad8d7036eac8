//! Open registrations without a row: the `client_id` carries what was registered, sealed
//! (RFC 7591 appendix A.5.2). Anonymous callers can register for ever and the database stays small.

use keys::SealError;
use serde::{Deserialize, Serialize};

use crate::{
    oauth::{
        client::{AuthenticationMethod, Client, GrantType, Provenance},
        redirect_uri::RedirectUri,
        secret::{Secret, SecretKind},
    },
    state::Seals,
};

/// Tells a registered `client_id` from every other.
const PREFIX: &str = "dyn_";

/// What a client registered. Short names, because it travels in every request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Registration {
    /// `client_name`.
    #[serde(rename = "n")]
    pub name: String,
    /// `redirect_uris`.
    #[serde(rename = "r")]
    pub redirect_uris: Vec<String>,
    /// `grant_types`.
    #[serde(rename = "g")]
    pub grant_types: Vec<GrantType>,
    /// `token_endpoint_auth_method`.
    #[serde(rename = "m")]
    pub authentication: AuthenticationMethod,
    /// `client_id_issued_at`.
    #[serde(rename = "t")]
    pub issued_at: i64,
}

/// The client that a sealed registration describes.
pub struct Registered;

impl Registered {
    /// Makes the `client_id`, and the secret of a confidential client.
    pub fn seal(
        seals: &Seals,
        registration: &Registration,
    ) -> Result<(String, Option<Secret>), SealError> {
        let id = format!("{PREFIX}{}", seals.registration.seal(registration)?);
        let secret = match registration.authentication {
            AuthenticationMethod::None => None,
            _ => Some(secret_of(&seals.client_secret.tag(id.as_bytes()))),
        };
        Ok((id, secret))
    }

    /// Reads a `client_id` back.
    pub fn open(seals: &Seals, id: &str) -> Result<Client, SealError> {
        let sealed = id.strip_prefix(PREFIX).ok_or(SealError::DoesNotOpen)?;
        let registration: Registration = seals.registration.open(sealed)?;
        let secret_hashes = match registration.authentication {
            AuthenticationMethod::None => Vec::new(),
            _ => {
                let tags = seals.client_secret.tags(id.as_bytes());
                tags.map(|tag| secret_of(&tag).hash()).collect()
            }
        };
        Ok(Client {
            name: registration.name,
            redirect_uris: registration
                .redirect_uris
                .iter()
                .filter_map(|uri| RedirectUri::parse(uri).ok())
                .collect(),
            grant_types: registration.grant_types,
            authentication: registration.authentication,
            secret_hashes,
            ..Client::new(id, Provenance::Registered)
        })
    }
}

/// Whether a `client_id` has the form of an open registration.
pub(super) fn is_registered_id(id: &str) -> bool {
    id.starts_with(PREFIX)
}

fn secret_of(tag: &[u8; 32]) -> Secret {
    Secret::from_bytes(SecretKind::ClientSecret, tag)
}
