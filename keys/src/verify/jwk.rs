//! Public keys in JSON (RFC 7517, RFC 7518 §6).

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Algorithm, KeyError};

/// Members that only private and symmetric keys have (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A public signing key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicJwk {
    /// The members that depend on the key type.
    #[serde(flatten)]
    pub material: KeyMaterial,
    /// Key identifier. For keys of Portcullis, the thumbprint (RFC 7638).
    pub kid: String,
    /// The only algorithm that the key is used with.
    pub alg: String,
    /// Purpose of the key; `sig` for signing.
    #[serde(rename = "use", default = "sig")]
    pub usage: String,
}

/// The members that define the key, in base64url (RFC 7518 §6, RFC 8037 §2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kty")]
pub enum KeyMaterial {
    /// Elliptic curve, P-256 here.
    #[serde(rename = "EC")]
    EllipticCurve { crv: String, x: String, y: String },
    /// Edwards curve, Ed25519 here.
    #[serde(rename = "OKP")]
    OctetKeyPair { crv: String, x: String },
    #[serde(rename = "RSA")]
    Rsa { n: String, e: String },
}

/// Whether a JWK contains a member that must not be published.
pub(crate) fn is_private(jwk: &Map<String, Value>) -> bool {
    PRIVATE_MEMBERS.iter().any(|member| jwk.contains_key(*member))
}

fn sig() -> String {
    "sig".into()
}

/// Length of a coordinate of P-256 and of a public key of Ed25519, in bytes.
const COORDINATE_LENGTH: usize = 32;

impl KeyMaterial {
    /// Whether each member is in its only valid form (RFC 7518 §6.2.1.2, §6.3.1.1, RFC 8037 §2).
    /// Otherwise one key could have several thumbprints, because jsonwebtoken joins coordinates of
    /// any length, and AWS-LC also reads an Ed25519 key in DER.
    pub(crate) fn is_canonical(&self) -> bool {
        match self {
            Self::EllipticCurve { x, y, .. } => is_coordinate(x) && is_coordinate(y),
            Self::OctetKeyPair { x, .. } => is_coordinate(x),
            Self::Rsa { n, e } => is_number(n) && is_number(e),
        }
    }

    /// The key's SHA-256 thumbprint in base64url: its required members, in alphabetic order,
    /// without white space (RFC 7638 §3).
    pub fn thumbprint(&self) -> String {
        let required = match self {
            Self::EllipticCurve { crv, x, y } => json!({"crv": crv, "kty": "EC", "x": x, "y": y}),
            Self::OctetKeyPair { crv, x } => json!({"crv": crv, "kty": "OKP", "x": x}),
            Self::Rsa { n, e } => json!({"e": e, "kty": "RSA", "n": n}),
        };
        URL_SAFE_NO_PAD.encode(digest(&SHA256, required.to_string().as_bytes()))
    }
}

/// The bytes of a member; none if it is not base64url.
pub(crate) fn decode(member: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(member).unwrap_or_default()
}

fn is_coordinate(member: &str) -> bool {
    decode(member).len() == COORDINATE_LENGTH
}

/// Whether a number has no leading zeros.
fn is_number(member: &str) -> bool {
    decode(member).first().is_some_and(|byte| *byte != 0)
}

impl PublicJwk {
    /// The algorithm the key is pinned to: `alg`, which must fit the key type and curve.
    pub(crate) fn algorithm(&self) -> Result<Algorithm, KeyError> {
        let algorithm: Algorithm = self.alg.parse()?;
        let fits = match (&self.material, algorithm) {
            (KeyMaterial::EllipticCurve { crv, .. }, Algorithm::ES256) => crv == "P-256",
            (KeyMaterial::OctetKeyPair { crv, .. }, Algorithm::EdDSA) => crv == "Ed25519",
            (KeyMaterial::Rsa { .. }, Algorithm::RS256) => true,
            _ => false,
        };
        if fits {
            Ok(algorithm)
        } else {
            Err(KeyError::Malformed("alg does not fit the key type".into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::KeyMaterial;

    #[test]
    fn the_thumbprint_of_the_rfc_7638_example_is_the_published_one() {
        let key = KeyMaterial::Rsa {
            n: "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6\
                tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5\
                v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD0\
                8qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU\
                8awapJzKnqDKgw"
                .into(),
            e: "AQAB".into(),
        };
        assert_eq!(key.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }
}
