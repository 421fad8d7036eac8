//! The algorithms that signatures are made and checked with.

use std::{fmt, str::FromStr};

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::KeyError;

/// A signature algorithm. ES256 is the default: every gateway and library accepts it.
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
    /// Every algorithm that this crate signs and verifies with.
    pub const ALL: [Self; 3] = [Self::ES256, Self::EdDSA, Self::RS256];
    /// Their names, as metadata lists them.
    pub const NAMES: [&str; 3] = [Self::ES256.as_str(), Self::EdDSA.as_str(), Self::RS256.as_str()];

    /// The name in `alg`.
    pub const fn as_str(self) -> &'static str {
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
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
            .ok_or_else(|| KeyError::UnsupportedAlgorithm(name.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_token_is_hashed_as_the_algorithm_hashes() {
        let at_hash =
            |algorithm: Algorithm| algorithm.at_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
        assert_eq!(at_hash(Algorithm::ES256), "77QmUPtjPfzWtF2AnpK9RQ");
        assert_eq!(at_hash(Algorithm::RS256), "77QmUPtjPfzWtF2AnpK9RQ");
        assert_eq!(at_hash(Algorithm::EdDSA), "q7nS86GgvvFaZkzALLWqJYaJIKw2wCDAVfCAsm5CrBM");
    }
}
