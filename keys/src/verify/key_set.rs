//! A JWK Set as an issuer publishes it (RFC 7517 §5).

use serde::Serialize;

use super::PublicJwk;

/// Public keys, as `/jwks` shows them. Whoever verifies with them reads them as
/// [`PublishedKeys`](crate::PublishedKeys), like everybody else's.
#[derive(Clone, Debug, Default, Serialize)]
pub struct KeySet {
    keys: Vec<PublicJwk>,
}

impl KeySet {
    /// A set of these keys.
    pub fn new(keys: Vec<PublicJwk>) -> Self {
        Self { keys }
    }

    /// The keys as they are published.
    pub fn keys(&self) -> &[PublicJwk] {
        &self.keys
    }
}
