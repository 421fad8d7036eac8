//! What is sealed and tagged, each purpose by a key of its own that comes of the master secrets.

use keys::{Authenticator, MasterSecrets, SealError, Sealer};

use crate::oauth::OAuthError;

// What strangers hold is sealed for a purpose that ends in `-2`. Under the purposes before, a tag of
// one byte was enough. With such tags, a stranger can find out the authentication key of AES-GCM
// guess by guess, and then make whole tags. So nothing is believed that was sealed under those keys.
// Private signing keys never left the database, and keep theirs.

/// What the master secrets are used for, one key each.
#[derive(Clone, Debug)]
pub struct Seals {
    /// What all else comes of.
    pub secrets: MasterSecrets,
    /// What upstreams are asked with about people who are away, at rest.
    pub upstream_credential: Sealer,
    /// Private signing keys at rest.
    pub signing_key: Sealer,
    /// Open registrations, which travel as `client_id`.
    pub registration: Sealer,
    /// A sign-in on its way to the upstream and back.
    pub sign_in: Sealer,
    /// A consent page's request.
    pub consent: Sealer,
    /// A device page's request.
    pub device: Sealer,
    /// Secrets of open registrations, derived from their `client_id`.
    pub client_secret: Authenticator,
    /// What lets a client manage its open registration, derived from its `client_id`.
    pub registration_access: Authenticator,
    /// Refresh tokens.
    pub refresh_token: Authenticator,
    /// Authorization requests that were pushed.
    pub pushed_request: Sealer,
    /// Nonces for proofs of possession.
    pub dpop_nonce: Authenticator,
    /// Proof that a form came from a page of this session.
    pub csrf: Authenticator,
}

impl Seals {
    /// What comes of these secrets.
    pub fn new(secrets: &MasterSecrets) -> Self {
        Self {
            secrets: secrets.clone(),
            upstream_credential: secrets.sealer("upstream-credential"),
            signing_key: secrets.sealer("signing-key"),
            registration: secrets.sealer("registration-2"),
            sign_in: secrets.sealer("sign-in-2"),
            consent: secrets.sealer("consent-2"),
            device: secrets.sealer("device-2"),
            client_secret: secrets.authenticator("client-secret"),
            registration_access: secrets.authenticator("registration-access"),
            refresh_token: secrets.authenticator("refresh-token"),
            pushed_request: secrets.sealer("pushed-request-2"),
            dpop_nonce: secrets.authenticator("dpop-nonce"),
            csrf: secrets.authenticator("csrf"),
        }
    }
}

impl From<SealError> for OAuthError {
    fn from(error: SealError) -> Self {
        Self::server_error("seal_failed", error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_held_while_short_tags_were_taken_opens_no_longer() {
        let secrets = MasterSecrets::parse(&MasterSecrets::generate().unwrap()).unwrap();
        let seals = Seals::new(&secrets);
        for (purpose, sealer) in [
            ("registration", &seals.registration),
            ("sign-in", &seals.sign_in),
            ("consent", &seals.consent),
            ("device", &seals.device),
            ("pushed-request", &seals.pushed_request),
        ] {
            let sealed = secrets.sealer(purpose).seal(&1).unwrap();
            assert!(sealer.open::<u8>(&sealed).is_err(), "{purpose}");
        }
        let sealed = secrets.sealer("signing-key").seal(&1).unwrap();
        assert_eq!(seals.signing_key.open::<u8>(&sealed).unwrap(), 1);
    }
}
