//! A JWK Set as an issuer publishes it (RFC 7517 §5).

use serde::Serialize;

use super::PublicJwk;

/// Public keys as an issuer publishes them. To verify with them, use
/// [`PublishedKeys`](crate::PublishedKeys).
#[derive(Clone, Debug, Default, Serialize)]
pub struct KeySet {
    keys: Vec<PublicJwk>,
}

impl KeySet {
    /// A set of these keys.
    pub fn new(keys: Vec<PublicJwk>) -> Self {
        Self { keys }
    }

    /// The keys of the set.
    pub fn keys(&self) -> &[PublicJwk] {
        &self.keys
    }
}
