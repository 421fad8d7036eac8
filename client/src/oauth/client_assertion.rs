//! Aside: client authentication with a private key instead of a secret (RFC 7523 §2.2).

use std::{fmt, sync::Arc};

use keys::{Algorithm, KeyError, SigningKey, TokenType};
use serde::Serialize;

use super::{OAuthError, pkce::random_text};
use crate::secret::Secret;

/// The kind of assertion (RFC 7523 §2.2).
pub(crate) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Lifetime of an assertion in seconds. It is used at once.
const LIFETIME: i64 = 60;

/// A client's private key.
#[derive(Clone)]
pub struct ClientKey(Arc<SigningKey>);

/// The claims of an assertion (RFC 7523 §3). The issuer is the only audience, so that no server can
/// replay it at another one.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
}

impl ClientKey {
    /// Reads a PKCS#8 key in PEM or a private JWK.
    pub fn parse(text: &Secret) -> Result<Self, OAuthError> {
        let text = text.reveal().trim();
        let key = if text.starts_with('{') {
            SigningKey::from_json(text.as_bytes())
        } else {
            from_pem(text.as_bytes())
        };
        let key = key.map_err(OAuthError::unusable_key)?;
        Ok(Self(Arc::new(key)))
    }

    /// A fresh assertion by `client_id` for `issuer`.
    pub(crate) fn assertion(
        &self,
        client_id: &str,
        issuer: &str,
        now: i64,
    ) -> Result<String, OAuthError> {
        let claims = Claims {
            iss: client_id,
            sub: client_id,
            aud: issuer,
            iat: now,
            exp: now + LIFETIME,
            jti: random_text()?,
        };
        self.0.sign(TokenType::ClientAssertion, &claims).map_err(OAuthError::unusable_key)
    }
}

/// PEM does not name the algorithm of a key uniformly, so the first one that fits is used.
fn from_pem(pem: &[u8]) -> Result<SigningKey, KeyError> {
    SigningKey::from_pem(Algorithm::ES256, pem)
        .or_else(|_| SigningKey::from_pem(Algorithm::EdDSA, pem))
        .or_else(|_| SigningKey::from_pem(Algorithm::RS256, pem))
}

impl fmt::Debug for ClientKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[key]")
    }
}

impl PartialEq for ClientKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.thumbprint() == other.0.thumbprint()
    }
}

impl Eq for ClientKey {}
