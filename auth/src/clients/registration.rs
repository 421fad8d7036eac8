//! Open registrations without a row: the `client_id` carries what was registered, sealed
//! (RFC 7591 appendix A.5.2). However many clients register, the database does not grow.

use keys::SealError;
use uuid::Uuid;

use crate::{
    oauth::{Client, ClientMetadata, Provenance, Secret, SecretKind, secret},
    seals::Seals,
};

/// What every `client_id` of an open registration starts with, and no other does.
const PREFIX: &str = "dyn_";

/// A registration in force.
#[derive(Clone, Debug)]
pub(crate) struct Registration {
    /// Identifies this registration. A later change or deletion is stored under it.
    pub(crate) id: Uuid,
    pub(crate) issued_at: i64,
    pub(crate) metadata: ClientMetadata,
}

impl Registration {
    /// A client that registers for the first time.
    pub(crate) fn new(metadata: ClientMetadata, issued_at: i64) -> Self {
        Self { id: Uuid::new_v4(), issued_at, metadata }
    }

    /// The `client_id` that carries it. It travels in every request, so it holds only the metadata
    /// that differ from those of most clients.
    pub(crate) fn seal(&self, seals: &Seals) -> Result<String, SealError> {
        let metadata = self
            .metadata
            .differences()
            .map_err(|error| SealError::CannotSeal(error.to_string()))?;
        let sealed =
            seals.registration.seal(&(self.issued_at, self.id.simple().to_string(), metadata))?;
        Ok(format!("{PREFIX}{sealed}"))
    }

    pub(crate) fn open(seals: &Seals, client_id: &str) -> Result<Self, SealError> {
        let sealed = client_id.strip_prefix(PREFIX).ok_or(SealError::DoesNotOpen)?;
        let (issued_at, id, metadata) = seals.registration.open(sealed)?;
        Ok(Self { id, issued_at, metadata })
    }

    /// The client that it describes.
    pub(crate) fn into_client(self, seals: &Seals, client_id: &str) -> Client {
        Client {
            id: client_id.to_owned(),
            provenance: Provenance::Registered,
            secret_hashes: self.secret_hashes(seals, client_id),
            metadata: self.metadata,
            registration_id: Some(self.id),
        }
    }

    /// Hashes of the client's secret, one for each master secret; none for a client without one.
    pub(crate) fn secret_hashes(&self, seals: &Seals, client_id: &str) -> Vec<String> {
        if !self.metadata.token_endpoint_auth_method.has_secret() {
            return Vec::new();
        }
        let tags = seals.client_secret.tags(client_id.as_bytes());
        tags.map(|tag| secret_of(&tag).hash()).collect()
    }
}

/// Whether a `client_id` has the form of an open registration.
pub(crate) fn is_registered_id(client_id: &str) -> bool {
    client_id.starts_with(PREFIX)
}

/// The secret of a confidential client, derived from its `client_id`.
pub(crate) fn client_secret(seals: &Seals, client_id: &str) -> Secret {
    secret_of(&seals.client_secret.tag(client_id.as_bytes()))
}

/// The token with which a client reads, changes and deletes its registration (RFC 7592 §3), derived
/// from its `client_id`.
pub(crate) fn access_token(seals: &Seals, client_id: &str) -> Secret {
    let tag = seals.registration_access.tag(client_id.as_bytes());
    Secret::from_bytes(SecretKind::RegistrationAccess, &tag)
}

/// Whether `presented` is the registration access token of this client.
pub(crate) fn is_access_token(seals: &Seals, client_id: &str, presented: &str) -> bool {
    let tags = seals.registration_access.tags(client_id.as_bytes());
    let mut known = tags.map(|tag| Secret::from_bytes(SecretKind::RegistrationAccess, &tag).hash());
    known.any(|known| secret::same_hash(&known, &secret::hash(presented)))
}

fn secret_of(tag: &[u8; 32]) -> Secret {
    Secret::from_bytes(SecretKind::ClientSecret, tag)
}

#[cfg(test)]
mod tests {
    use keys::MasterSecrets;

    use super::*;
    use crate::oauth::RedirectUri;

    #[test]
    fn the_client_id_of_a_usual_client_is_short_and_opens_again() {
        let secrets = MasterSecrets::parse(&MasterSecrets::generate().unwrap()).unwrap();
        let seals = Seals::new(&secrets);
        let metadata = ClientMetadata {
            client_name: "Claude Code (portcullis)".into(),
            redirect_uris: vec![RedirectUri::parse("http://localhost:54545/callback").unwrap()],
            ..ClientMetadata::usual()
        };
        let registration = Registration::new(metadata.clone(), 1_800_000_000);
        let client_id = registration.seal(&seals).unwrap();
        assert!(client_id.len() < 280, "{}", client_id.len());
        let opened = Registration::open(&seals, &client_id).unwrap();
        assert_eq!((opened.id, opened.issued_at), (registration.id, 1_800_000_000));
        assert_eq!(opened.metadata, metadata);
    }
}
