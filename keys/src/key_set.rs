//! A JWK Set: what an issuer publishes and a verifier reads (RFC 7517 §5).

use jsonwebtoken::DecodingKey;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct};
use serde_json::Value;

use crate::{Algorithm, KeyError, PublicJwk};

/// Public keys, each ready to verify with the one algorithm it is pinned to.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<PublicJwk>,
    verifying: Vec<VerifyingKey>,
}

#[derive(Clone, Debug)]
pub(crate) struct VerifyingKey {
    pub(crate) kid: String,
    pub(crate) algorithm: Algorithm,
    pub(crate) key: DecodingKey,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    /// A set of these keys. One that cannot verify anything is kept, but never chosen.
    pub fn new(keys: Vec<PublicJwk>) -> Self {
        let verifying = keys.iter().filter_map(VerifyingKey::from_jwk).collect();
        Self { keys, verifying }
    }

    /// Reads a published set. Keys of unknown kinds, or without `kid` and `alg`, are passed over:
    /// an issuer may publish keys for other purposes (RFC 7517 §5).
    pub fn from_json(text: &[u8]) -> Result<Self, KeyError> {
        let document: Document = serde_json::from_slice(text)
            .map_err(|_| KeyError::Malformed("a JWK Set is an object with an array keys".into()))?;
        let read = |key: Value| serde_json::from_value(key).ok();
        Ok(Self::new(document.keys.into_iter().filter_map(read).collect()))
    }

    /// The keys as they are published.
    pub fn keys(&self) -> &[PublicJwk] {
        &self.keys
    }

    /// Whether a key of this name can verify.
    pub fn contains(&self, kid: &str) -> bool {
        self.find(kid).is_some()
    }

    pub(crate) fn find(&self, kid: &str) -> Option<&VerifyingKey> {
        self.verifying.iter().find(|key| key.kid == kid)
    }
}

impl Serialize for KeySet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_struct("KeySet", 1)?;
        document.serialize_field("keys", &self.keys)?;
        document.end()
    }
}

impl VerifyingKey {
    /// `None` for a key that is not for signatures, or that cannot be read.
    fn from_jwk(jwk: &PublicJwk) -> Option<Self> {
        if jwk.usage != "sig" {
            return None;
        }
        Some(Self {
            kid: jwk.kid.clone(),
            algorithm: jwk.algorithm().ok()?,
            key: jwk.decoding_key().ok()?,
        })
    }
}
