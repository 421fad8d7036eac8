//! Random values that open something: prefixed so that scanners know them, hashed before they
//! are stored, never shown by `Debug`.

use std::fmt;

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use subtle::ConstantTimeEq;

use super::error::OAuthError;

/// Length of a secret, in bytes.
const LENGTH: usize = 32;

/// What a secret is for, told by its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretKind {
    /// `pcc_`: an authorization code.
    AuthorizationCode,
    /// `pca_`: an opaque access token.
    AccessToken,
    /// `pcs_`: a browser session.
    Session,
    /// `pcb_`: binds a sign-in to the browser that began it.
    Browser,
    /// `pcd_`: a device code.
    DeviceCode,
    /// `pck_`: a client secret.
    ClientSecret,
    /// `pcm_`: lets a client manage its registration.
    RegistrationAccess,
    /// `pcv_`: a PKCE verifier towards the upstream.
    CodeVerifier,
    /// `pcn_`: binds an upstream's ID token to the sign-in that asked for it.
    Nonce,
}

impl SecretKind {
    /// The prefix.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "pcc_",
            Self::AccessToken => "pca_",
            Self::Session => "pcs_",
            Self::Browser => "pcb_",
            Self::DeviceCode => "pcd_",
            Self::ClientSecret => "pck_",
            Self::RegistrationAccess => "pcm_",
            Self::CodeVerifier => "pcv_",
            Self::Nonce => "pcn_",
        }
    }
}

/// A secret in memory.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// 256 random bits from the operating system.
    pub fn generate(kind: SecretKind) -> Result<Self, OAuthError> {
        let mut bytes = [0; LENGTH];
        rand::fill(&mut bytes)
            .map_err(|error| OAuthError::server_error("no_randomness", error.to_string()))?;
        Ok(Self::from_bytes(kind, &bytes))
    }

    /// A secret of given bytes, for values that are derived.
    pub fn from_bytes(kind: SecretKind, bytes: &[u8]) -> Self {
        Self(format!("{}{}", kind.prefix(), URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// A secret that somebody brings back, if it can be one of this kind.
    pub fn parse(kind: SecretKind, presented: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(presented.strip_prefix(kind.prefix())?).ok()?;
        (bytes.len() == LENGTH).then(|| Self(presented.into()))
    }

    /// The text, to hand it to whom it belongs.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored instead of the secret.
    pub fn hash(&self) -> String {
        hash(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(redacted)")
    }
}

/// SHA-256 in base64url: what is stored of a presented value. Enough, because every value that is
/// hashed here is 256 random bits.
pub fn hash(presented: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, presented.as_bytes()))
}

/// Whether two hashes agree, in constant time.
pub fn same_hash(one: &str, other: &str) -> bool {
    bool::from(one.as_bytes().ct_eq(other.as_bytes()))
}
