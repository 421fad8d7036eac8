//! A private key that signs tokens.

use std::{fmt, str::FromStr};

use aws_lc_rs::digest::{SHA256, SHA512, digest};
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
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{KeyError, PublicJwk, jwk::KeyMaterial};

/// What keys sign with. ES256 is the default: every gateway and library accepts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256 (RFC 7518 §3.4).
    #[default]
    ES256,
    /// Ed25519 (RFC 8037 §3.1).
    EdDSA,
    /// RSA PKCS#1 v1.5 with SHA-256, 2048 bits (RFC 7518 §3.3).
    RS256,
}

impl Algorithm {
    /// The name in `alg`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ES256 => "ES256",
            Self::EdDSA => "EdDSA",
            Self::RS256 => "RS256",
        }
    }

    /// `at_hash` of an ID token that is signed by it: the left half of the access token's hash, by
    /// the hash function that the algorithm itself uses (OpenID Connect Core §3.1.3.6).
    pub fn at_hash(self, access_token: &str) -> String {
        let function = match self {
            Self::ES256 | Self::RS256 => &SHA256,
            Self::EdDSA => &SHA512,
        };
        let hash = digest(function, access_token.as_bytes());
        let (left_half, _) = hash.as_ref().split_at(hash.as_ref().len() / 2);
        URL_SAFE_NO_PAD.encode(left_half)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = KeyError;

    fn from_str(name: &str) -> Result<Self, KeyError> {
        [Self::ES256, Self::EdDSA, Self::RS256]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
            .ok_or_else(|| KeyError::UnsupportedAlgorithm(name.into()))
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

/// The `typ` of a signed token, so that one kind never passes for another (RFC 8725 §3.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    /// `at+jwt` (RFC 9068 §2.1).
    AccessToken,
    /// `JWT` (OpenID Connect Core §2).
    IdToken,
    /// `logout+jwt` (OpenID Connect Back-Channel Logout §2.4).
    LogoutToken,
    /// `JWT`: a client's proof of who it is (RFC 7523 §2.2).
    ClientAssertion,
    /// `oauth-id-jag+jwt`: an identity provider's word that a person may use a client
    /// (draft-ietf-oauth-identity-assertion-authz-grant §3).
    IdentityAssertion,
    /// `JWT`: a signed userinfo answer (OpenID Connect Core §5.3.2).
    UserInfo,
    /// `token-introspection+jwt` (RFC 9701 §5).
    TokenIntrospection,
}

impl TokenType {
    /// The value of `typ`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "at+jwt",
            Self::IdToken | Self::ClientAssertion | Self::UserInfo => "JWT",
            Self::IdentityAssertion => "oauth-id-jag+jwt",
            Self::TokenIntrospection => "token-introspection+jwt",
            Self::LogoutToken => "logout+jwt",
        }
    }
}

/// A private key, its algorithm and its thumbprint as `kid`.
#[derive(Clone)]
pub struct SigningKey {
    algorithm: Algorithm,
    public: PublicJwk,
    private: Jwk,
    pub(crate) encoding: EncodingKey,
}

impl SigningKey {
    /// Makes a fresh key pair.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let jwk = match algorithm {
            Algorithm::ES256 => EcKeyPair::generate(EcCurve::P256).map(|k| k.to_jwk_key_pair()),
            Algorithm::EdDSA => EdKeyPair::generate(EdCurve::Ed25519).map(|k| k.to_jwk_key_pair()),
            Algorithm::RS256 => RsaKeyPair::generate(2048).map(|k| k.to_jwk_key_pair()),
        };
        Self::from_private_jwk(algorithm, jwk.map_err(unusable)?)
    }

    /// Reads back what [`Self::private_jwk`] wrote.
    pub fn from_json(text: &[u8]) -> Result<Self, KeyError> {
        let jwk = Jwk::from_bytes(text).map_err(unusable)?;
        let algorithm = jwk.algorithm().unwrap_or_default().parse()?;
        Self::from_private_jwk(algorithm, jwk)
    }

    /// Reads a private key in PEM: PKCS#8, or the older form of its kind (RFC 7468).
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

    /// The private key as a JWK. Whoever calls this seals it before it leaves memory.
    pub fn private_jwk(&self) -> String {
        self.private.to_string()
    }

    /// The `kid`: the key's thumbprint (RFC 7638).
    pub fn kid(&self) -> &str {
        &self.public.kid
    }

    /// What the key signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public half, as it is published.
    pub fn public_jwk(&self) -> &PublicJwk {
        &self.public
    }

    /// Signs `claims` as a compact JWS (RFC 7515 §3.1).
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

    /// Refuses a JWK whose public members belong to another private key: what it signs would verify
    /// nowhere.
    fn check_halves(&self) -> Result<(), KeyError> {
        let (probe, algorithm) = (b"probe", self.algorithm.into());
        let signature = crypto::sign(probe, &self.encoding, algorithm).map_err(unusable)?;
        let public = self.public.decoding_key()?;
        match crypto::verify(&signature, probe, &public, algorithm) {
            Ok(true) => Ok(()),
            _ => Err(KeyError::Malformed("its public members are not those of its key".into())),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SigningKey").field("public", &self.public).finish_non_exhaustive()
    }
}

fn public_material(algorithm: Algorithm, jwk: &Jwk) -> Result<KeyMaterial, KeyError> {
    let member = |name: &str| match jwk.parameter(name) {
        Some(Value::String(text)) => Ok(text.clone()),
        _ => Err(KeyError::Malformed(format!("{name} is missing"))),
    };
    Ok(match algorithm {
        Algorithm::ES256 => {
            KeyMaterial::EllipticCurve { crv: member("crv")?, x: member("x")?, y: member("y")? }
        }
        Algorithm::EdDSA => KeyMaterial::OctetKeyPair { crv: member("crv")?, x: member("x")? },
        Algorithm::RS256 => KeyMaterial::Rsa { n: member("n")?, e: member("e")? },
    })
}

fn unusable(error: impl fmt::Display) -> KeyError {
    KeyError::Unusable(error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_private_key_with_the_public_half_of_another_is_refused() {
        for algorithm in [Algorithm::ES256, Algorithm::EdDSA, Algorithm::RS256] {
            let [own, other] = [(); 2].map(|()| {
                let key = SigningKey::generate(algorithm).unwrap();
                serde_json::from_str::<Value>(&key.private_jwk()).unwrap()
            });
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

    #[test]
    fn an_access_token_is_hashed_as_the_algorithm_hashes() {
        let at_hash =
            |algorithm: Algorithm| algorithm.at_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
        assert_eq!(at_hash(Algorithm::ES256), "77QmUPtjPfzWtF2AnpK9RQ");
        assert_eq!(at_hash(Algorithm::RS256), "77QmUPtjPfzWtF2AnpK9RQ");
        assert_eq!(at_hash(Algorithm::EdDSA), "q7nS86GgvvFaZkzALLWqJYaJIKw2wCDAVfCAsm5CrBM");
    }
}
