//! A private key that signs tokens.

use std::fmt;
#[cfg(test)]
use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use josekit::jwk::{
    Jwk, KeyPair,
    alg::{
        ec::{EcCurve, EcKeyPair},
        ed::{EdCurve, EdKeyPair},
        rsa::RsaKeyPair,
    },
};
use jsonwebtoken::{EncodingKey, Header, crypto, encode};
use serde::Serialize;
use serde_json::Value;

use super::TokenType;
use crate::{
    Algorithm, KeyError, PublicJwk,
    verify::{KeyMaterial, VerifyingKey},
};

/// A private key with its algorithm. Its `kid` is its thumbprint.
#[derive(Clone)]
pub struct SigningKey {
    algorithm: Algorithm,
    public: PublicJwk,
    private: Jwk,
    pub(crate) encoding: EncodingKey,
}

impl SigningKey {
    /// Generates a key pair.
    ///
    /// # Errors
    /// [`KeyError::Unusable`] if the library fails.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let jwk = match algorithm {
            Algorithm::ES256 => EcKeyPair::generate(EcCurve::P256).map(|k| k.to_jwk_key_pair()),
            Algorithm::EdDSA => EdKeyPair::generate(EdCurve::Ed25519).map(|k| k.to_jwk_key_pair()),
            Algorithm::RS256 => RsaKeyPair::generate(2048).map(|k| k.to_jwk_key_pair()),
        };
        Self::from_private_jwk(algorithm, jwk.map_err(unusable)?)
    }

    /// Reads a key that [`Self::private_jwk`] has written.
    ///
    /// # Errors
    /// The text is not a private JWK with a supported `alg`, or its halves do not match.
    pub fn from_json(text: &[u8]) -> Result<Self, KeyError> {
        let jwk = Jwk::from_bytes(text).map_err(unusable)?;
        let algorithm = jwk.algorithm().unwrap_or_default().parse()?;
        Self::from_private_jwk(algorithm, jwk)
    }

    /// Reads a private key in PEM: PKCS#8, or the older form of its key type (RFC 7468).
    ///
    /// # Errors
    /// The text is not such a key.
    pub fn from_pem(algorithm: Algorithm, pem: &[u8]) -> Result<Self, KeyError> {
        let jwk = match algorithm {
            Algorithm::ES256 => {
                EcKeyPair::from_pem(pem, Some(EcCurve::P256)).map(|k| k.to_jwk_key_pair())
            }
            Algorithm::EdDSA => EdKeyPair::from_pem(pem).map(|k| k.to_jwk_key_pair()),
            Algorithm::RS256 => RsaKeyPair::from_pem(pem).map(|k| k.to_jwk_key_pair()),
        };
        Self::from_private_jwk(algorithm, jwk.map_err(unusable)?)
    }

    /// The private key as a JWK. Seal it before it leaves memory.
    pub fn private_jwk(&self) -> String {
        self.private.to_string()
    }

    /// The `kid`: the key's thumbprint (RFC 7638).
    pub fn kid(&self) -> &str {
        &self.public.kid
    }

    /// The algorithm that the key signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public half, as it is published.
    pub fn public_jwk(&self) -> &PublicJwk {
        &self.public
    }

    /// Signs `claims` as a compact JWS (RFC 7515 §3.1).
    ///
    /// # Errors
    /// [`KeyError::Unusable`] if `claims` cannot be serialized, or the library fails.
    pub fn sign(&self, typ: TokenType, claims: &impl Serialize) -> Result<String, KeyError> {
        let mut header = Header::new(self.algorithm.into());
        header.typ = Some(typ.as_str().into());
        header.kid = Some(self.public.kid.clone());
        self.encode(&header, claims)
    }

    pub(crate) fn encode(
        &self,
        header: &Header,
        claims: &impl Serialize,
    ) -> Result<String, KeyError> {
        encode(header, claims, &self.encoding).map_err(unusable)
    }

    fn from_private_jwk(algorithm: Algorithm, mut private: Jwk) -> Result<Self, KeyError> {
        let encoding = match algorithm {
            Algorithm::ES256 => EncodingKey::from_ec_pem(
                &EcKeyPair::from_jwk(&private).map_err(unusable)?.to_pem_private_key(),
            ),
            Algorithm::EdDSA => EncodingKey::from_ed_pem(
                &EdKeyPair::from_jwk(&private).map_err(unusable)?.to_pem_private_key(),
            ),
            Algorithm::RS256 => EncodingKey::from_rsa_pem(
                &RsaKeyPair::from_jwk(&private).map_err(unusable)?.to_pem_private_key(),
            ),
        };
        private.set_algorithm(algorithm.as_str());
        let material = public_material(algorithm, &private)?;
        let public = PublicJwk {
            kid: material.thumbprint(),
            alg: algorithm.as_str().into(),
            usage: "sig".into(),
            material,
        };
        let key = Self { algorithm, public, private, encoding: encoding.map_err(unusable)? };
        key.check_halves()?;
        Ok(key)
    }

    /// Refuses a JWK whose public half belongs to another private key. What it signs
    /// could not be verified.
    fn check_halves(&self) -> Result<(), KeyError> {
        let probe = b"probe";
        let algorithm = self.algorithm.into();
        let signature = crypto::sign(probe, &self.encoding, algorithm).map_err(unusable)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(unusable)?;
        if VerifyingKey::new(&self.public)?.has_signed(probe, &signature) {
            Ok(())
        } else {
            Err(KeyError::Malformed("its public members are not those of its key".into()))
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SigningKey").field("public", &self.public).finish_non_exhaustive()
    }
}

impl From<Algorithm> for jsonwebtoken::Algorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::ES256 => Self::ES256,
            Algorithm::EdDSA => Self::EdDSA,
            Algorithm::RS256 => Self::RS256,
        }
    }
}

fn public_material(algorithm: Algorithm, jwk: &Jwk) -> Result<KeyMaterial, KeyError> {
    Ok(match algorithm {
        Algorithm::ES256 => KeyMaterial::EllipticCurve {
            crv: member(jwk, "crv")?,
            x: member(jwk, "x")?,
            y: member(jwk, "y")?,
        },
        Algorithm::EdDSA => {
            KeyMaterial::OctetKeyPair { crv: member(jwk, "crv")?, x: member(jwk, "x")? }
        }
        Algorithm::RS256 => KeyMaterial::Rsa { n: member(jwk, "n")?, e: member(jwk, "e")? },
    })
}

fn member(jwk: &Jwk, name: &str) -> Result<String, KeyError> {
    match jwk.parameter(name) {
        Some(Value::String(text)) => Ok(text.clone()),
        _ => Err(KeyError::Malformed(format!("{name} is missing"))),
    }
}

fn unusable(error: impl fmt::Display) -> KeyError {
    KeyError::Unusable(error.to_string())
}

#[cfg(test)]
impl SigningKey {
    /// A key that the tests share, because generating one with RSA takes longer than most of them.
    pub(crate) fn shared(algorithm: Algorithm) -> Self {
        static KEYS: LazyLock<Vec<SigningKey>> = LazyLock::new(|| {
            Algorithm::ALL.iter().map(|it| SigningKey::generate(*it).unwrap()).collect()
        });
        KEYS.iter().find(|key| key.algorithm == algorithm).unwrap().clone()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_private_key_with_the_public_half_of_another_is_refused() {
        for algorithm in Algorithm::ALL {
            let keys = [SigningKey::shared(algorithm), SigningKey::generate(algorithm).unwrap()];
            let [own, other] =
                keys.map(|key| serde_json::from_str::<Value>(&key.private_jwk()).unwrap());
            assert!(SigningKey::from_json(own.to_string().as_bytes()).is_ok());
            let mut mixed = own.clone();
            for member in ["x", "y", "n", "e"].into_iter().filter(|name| own.get(name).is_some()) {
                mixed[member] = other[member].clone();
            }
            assert!(SigningKey::from_json(mixed.to_string().as_bytes()).is_err(), "{algorithm}");
            mixed["alg"] = json!("none");
            assert!(SigningKey::from_json(mixed.to_string().as_bytes()).is_err(), "{algorithm}");
        }
    }
}
