//! A public key that is ready to verify: parsed once, and pinned to one algorithm.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents, VerificationAlgorithm,
};

use super::{
    KeyError, PublicJwk,
    jwk::{KeyMaterial, decode},
};

/// The first byte of a point that is written as both coordinates (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 4;
/// Length of a public key of Ed25519, in bytes (RFC 8032 §5.1.5).
const ED25519_LENGTH: usize = 32;

/// A public key that is ready to verify.
#[derive(Clone, Debug)]
pub(crate) struct VerifyingKey {
    /// The names of its only algorithm. RFC 9864 has given EdDSA a second one.
    names: &'static [&'static str],
    key: ParsedPublicKey,
}

impl VerifyingKey {
    /// The key of a JWK, for an algorithm that this crate signs with.
    ///
    /// # Errors
    /// [`KeyError::UnsupportedAlgorithm`], or [`KeyError::Malformed`] if `alg` does not fit the key
    /// type, or a member is not canonical or not a key.
    pub(crate) fn new(jwk: &PublicJwk) -> Result<Self, KeyError> {
        let algorithm = jwk.algorithm()?;
        if !jwk.material.is_canonical() {
            return Err(KeyError::Malformed("a member is not spelled as RFC 7518 §6 says".into()));
        }
        let key = Self::with_algorithm(&jwk.material, algorithm.as_str())?;
        Ok(Self { names: &key.names[..1], ..key })
    }

    /// A key for any asymmetric algorithm of RFC 7518 and RFC 8037.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] if the algorithm does not fit the key type, or a member is not a key.
    pub(crate) fn with_algorithm(material: &KeyMaterial, name: &str) -> Result<Self, KeyError> {
        let unfit = || KeyError::Malformed("alg does not fit the key type".into());
        let (names, key): (&'static [&'static str], _) = match material {
            KeyMaterial::EllipticCurve { crv, x, y } => {
                let (names, length, algorithm) = curve(crv).ok_or_else(unfit)?;
                let point = [&[UNCOMPRESSED], &decode(x)[..], &decode(y)].concat();
                // Halves of other lengths could be joined to the same point.
                let is_canonical = decode(x).len() == length && decode(y).len() == length;
                let point = if is_canonical { point } else { Vec::new() };
                (names, ParsedPublicKey::new(algorithm, point))
            }
            KeyMaterial::OctetKeyPair { crv, x } if crv == "Ed25519" => {
                let x = decode(x);
                // AWS-LC also reads a key in DER.
                let x = if x.len() == ED25519_LENGTH { x } else { Vec::new() };
                (&["EdDSA", "Ed25519"], ParsedPublicKey::new(&ED25519, x))
            }
            KeyMaterial::OctetKeyPair { .. } => return Err(unfit()),
            KeyMaterial::Rsa { n, e } => {
                let (names, parameters) = rsa(name).ok_or_else(unfit)?;
                let parts = RsaPublicKeyComponents { n: decode(n), e: decode(e) };
                (names, parts.to_parsed_public_key(parameters))
            }
        };
        if !names.contains(&name) {
            return Err(unfit());
        }
        let key = key.map_err(|error| KeyError::Malformed(error.to_string()))?;
        Ok(Self { names, key })
    }

    /// Whether this is the algorithm that the key verifies with.
    pub(crate) fn is_for(&self, algorithm: &str) -> bool {
        self.names.contains(&algorithm)
    }

    /// Whether `signature` is this key's signature of `message`.
    pub(crate) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify_sig(message, signature).is_ok()
    }
}

type Curve = (&'static [&'static str], usize, &'static dyn VerificationAlgorithm);

/// The algorithm of a curve, and the length of its coordinates in bytes (RFC 7518 §3.4, §6.2.1.2).
fn curve(name: &str) -> Option<Curve> {
    Some(match name {
        "P-256" => (&["ES256"], 32, &ECDSA_P256_SHA256_FIXED),
        "P-384" => (&["ES384"], 48, &ECDSA_P384_SHA384_FIXED),
        "P-521" => (&["ES512"], 66, &ECDSA_P521_SHA512_FIXED),
        _ => return None,
    })
}

/// The parameters of an algorithm of RSA (RFC 7518 §3.3, §3.5).
fn rsa(name: &str) -> Option<(&'static [&'static str], &'static RsaParameters)> {
    Some(match name {
        "RS256" => (&["RS256"], &RSA_PKCS1_2048_8192_SHA256),
        "RS384" => (&["RS384"], &RSA_PKCS1_2048_8192_SHA384),
        "RS512" => (&["RS512"], &RSA_PKCS1_2048_8192_SHA512),
        "PS256" => (&["PS256"], &RSA_PSS_2048_8192_SHA256),
        "PS384" => (&["PS384"], &RSA_PSS_2048_8192_SHA384),
        "PS512" => (&["PS512"], &RSA_PSS_2048_8192_SHA512),
        _ => return None,
    })
}
