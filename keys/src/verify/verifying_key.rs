//! A public key that is ready to verify: parsed once, and pinned to one algorithm.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents,
};

use super::{
    Algorithm, KeyError, PublicJwk,
    jwk::{KeyMaterial, decode},
};

/// The first byte of a point that is written as both coordinates (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 4;

/// A public key that is ready to verify.
#[derive(Clone, Debug)]
pub(crate) struct VerifyingKey {
    algorithm: Algorithm,
    key: ParsedPublicKey,
}

impl VerifyingKey {
    /// The key of a JWK.
    ///
    /// # Errors
    /// [`KeyError::UnsupportedAlgorithm`], or [`KeyError::Malformed`] if `alg` does not fit the key
    /// type, or a member is not canonical or not a key.
    pub(crate) fn new(jwk: &PublicJwk) -> Result<Self, KeyError> {
        let algorithm = jwk.algorithm()?;
        if !jwk.material.is_canonical() {
            return Err(KeyError::Malformed("a member is not spelled as RFC 7518 §6 says".into()));
        }
        let key = match &jwk.material {
            KeyMaterial::EllipticCurve { x, y, .. } => {
                let point = [&[UNCOMPRESSED], &decode(x)[..], &decode(y)].concat();
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            }
            KeyMaterial::OctetKeyPair { x, .. } => ParsedPublicKey::new(&ED25519, decode(x)),
            KeyMaterial::Rsa { n, e } => RsaPublicKeyComponents { n: decode(n), e: decode(e) }
                .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256),
        };
        let key = key.map_err(|error| KeyError::Malformed(error.to_string()))?;
        Ok(Self { algorithm, key })
    }

    /// The only algorithm that the key verifies with.
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether `signature` is this key's signature of `message`.
    pub(crate) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify_sig(message, signature).is_ok()
    }
}
