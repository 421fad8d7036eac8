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
use crate::string_enum::string_enum;

/// Length of a secret, in bytes.
const LENGTH: usize = 32;

string_enum! {
    /// What a secret is for, told by its prefix.
    pub enum SecretKind {
        /// An authorization code.
        AuthorizationCode = "pcc_",
        /// An opaque access token.
        AccessToken = "pca_",
        /// A browser session.
        Session = "pcs_",
        /// Binds a sign-in to the browser that began it.
        Browser = "pcb_",
        /// A device code.
        DeviceCode = "pcd_",
        /// A client secret.
        ClientSecret = "pck_",
        /// Lets a client manage its registration.
        RegistrationAccess = "pcm_",
        /// A PKCE verifier towards the upstream.
        CodeVerifier = "pcv_",
        /// Binds an upstream's ID token to the sign-in that asked for it.
        Nonce = "pcn_",
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
        Self(format!("{}{}", kind.as_str(), URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// A presented secret, if it can be one of this kind.
    pub fn parse(kind: SecretKind, presented: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(presented.strip_prefix(kind.as_str())?).ok()?;
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

/// What is stored of a presented value. SHA-256 is enough, because every value that is hashed here is
/// 256 random bits.
pub fn hash(presented: &str) -> String {
    sha256(presented.as_bytes())
}

/// SHA-256 in base64url.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, bytes))
}

/// Whether a text has the form of [`sha256`]: 43 base64url characters.
pub(crate) fn is_sha256(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

/// Whether a presented value has one of these hashes.
pub(crate) fn has_one_of(presented: &str, hashes: &[String]) -> bool {
    let presented = hash(presented);
    hashes.iter().any(|known| same_hash(known, &presented))
}

/// Whether two hashes agree, in constant time.
pub(crate) fn same_hash(one: &str, other: &str) -> bool {
    bool::from(one.as_bytes().ct_eq(other.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_spelling_that_was_given_out_is_a_secret() {
        let kind = SecretKind::Browser;
        let secret = Secret::generate(kind).unwrap();
        let text = secret.expose();
        assert_eq!(Secret::parse(kind, text).as_ref(), Some(&secret));
        assert_eq!(Secret::parse(SecretKind::Session, text), None);
        for length in 0..text.len() {
            assert_eq!(Secret::parse(kind, &text[..length]), None, "{length}");
            assert_eq!(Secret::parse(kind, &text[length + 1..]), None, "{length}");
        }
        for added in ["A", "AA", "=", "==", " ", "\n", "\0"] {
            assert_eq!(Secret::parse(kind, &format!("{text}{added}")), None, "{added:?}");
            assert_eq!(Secret::parse(kind, &format!("{added}{text}")), None, "{added:?}");
        }
        // 32 bytes leave two unused bits in the last character: of 64, sixteen are canonical.
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/= ";
        let stem = &text[..text.len() - 1];
        let taken =
            alphabet.chars().filter(|last| Secret::parse(kind, &format!("{stem}{last}")).is_some());
        assert_eq!(taken.count(), 16);
    }

    #[test]
    fn hashes_agree_only_if_they_are_the_same_text() {
        let one = hash("a");
        assert!(same_hash(&one, &one.clone()));
        for length in 0..one.len() {
            assert!(!same_hash(&one, &one[..length]));
            assert!(!same_hash(&one[..length], &one));
            let mut changed = one.clone().into_bytes();
            changed[length] ^= 1;
            assert!(!same_hash(&one, &String::from_utf8(changed).unwrap()));
        }
        for added in ["A", "=", " ", "\0"] {
            assert!(!same_hash(&one, &format!("{one}{added}")));
        }
        assert!(!same_hash(&one, &one.to_uppercase()));
    }
}
