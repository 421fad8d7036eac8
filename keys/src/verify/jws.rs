//! A strict parser of compact JWS. It refuses what two parsers could read differently, before any key
//! is used (RFC 7515 §5.2, RFC 8725 §3).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, crypto};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{Algorithm, VerifyError, unique_json};

/// Maximum length of a token, in bytes.
pub(crate) const MAX_TOKEN_LENGTH: usize = 16 * 1024;
/// Header members that change how the token must be read: critical extensions (RFC 7515 §4.1.11), an
/// unencoded payload (RFC 7797 §3), compression (RFC 7516 §4.1.3). None is supported, so a header that
/// has one is refused, whatever its value.
const EXTENSIONS: [&str; 3] = ["crit", "b64", "zip"];

/// The members of a JOSE header that matter here.
#[derive(Deserialize)]
pub(crate) struct Header {
    pub(crate) alg: String,
    pub(crate) typ: Option<String>,
    pub(crate) kid: Option<String>,
    pub(crate) jwk: Option<Map<String, Value>>,
}

/// A signed token that has been taken apart. Nothing that it says is verified yet.
pub struct UnverifiedToken<'a> {
    pub(crate) header: Header,
    has_extension: bool,
    /// The first two parts, which are signed.
    signed: &'a str,
    claims: &'a str,
    signature: &'a str,
}

impl<'a> UnverifiedToken<'a> {
    /// Takes a token apart: exactly three parts (RFC 7515 §3.1), and a header in which no member
    /// comes twice.
    ///
    /// # Errors
    /// [`VerifyError::Malformed`] if the text is not a compact JWS, or longer than 16 KiB.
    pub fn parse(token: &'a str) -> Result<Self, VerifyError> {
        if token.len() > MAX_TOKEN_LENGTH {
            return Err(VerifyError::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(VerifyError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(VerifyError::Malformed)?;
        if claims.contains('.') {
            return Err(VerifyError::Malformed);
        }
        let members: Map<String, Value> =
            unique_json::from_slice(&decode(header)?).map_err(|_| VerifyError::Malformed)?;
        let has_extension = EXTENSIONS.iter().any(|name| members.contains_key(*name));
        let header =
            Header::deserialize(Value::Object(members)).map_err(|_| VerifyError::Malformed)?;
        Ok(Self { header, has_extension, signed, claims, signature })
    }

    /// The `kid` of the key that the token claims to be signed with.
    ///
    /// # Errors
    /// [`VerifyError::NoKeyId`] if the header names none.
    pub fn key_id(&self) -> Result<&str, VerifyError> {
        self.header.kid.as_deref().ok_or(VerifyError::NoKeyId)
    }

    /// The algorithm that the header names. Once the signature has been verified, it is the one
    /// that made it.
    ///
    /// # Errors
    /// [`VerifyError::WrongAlgorithm`] if it is not a supported one.
    pub fn algorithm(&self) -> Result<Algorithm, VerifyError> {
        self.header.alg.parse().map_err(|_| VerifyError::WrongAlgorithm)
    }

    /// The claims before anything is verified. Use them only to choose the keys to verify with.
    ///
    /// # Errors
    /// [`VerifyError::Malformed`] or [`VerifyError::BadClaims`] if the claims are not a `T`.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, VerifyError> {
        serde_json::from_slice(&decode(self.claims)?).map_err(|_| VerifyError::BadClaims)
    }

    /// Refuses a `typ` that `is_type` does not accept, and every header extension.
    pub(crate) fn check_header(
        &self,
        is_type: impl Fn(Option<&str>) -> bool,
    ) -> Result<(), VerifyError> {
        if !is_type(self.header.typ.as_deref()) {
            return Err(VerifyError::WrongType);
        }
        if self.has_extension {
            return Err(VerifyError::CriticalHeader);
        }
        Ok(())
    }

    /// Verifies the signature with `key` and its algorithm, and returns the claims.
    pub(crate) fn verify<T: DeserializeOwned>(
        &self,
        key: &DecodingKey,
        algorithm: Algorithm,
    ) -> Result<T, VerifyError> {
        if self.header.alg != algorithm.as_str() {
            return Err(VerifyError::WrongAlgorithm);
        }
        let claims = decode(self.claims)?;
        decode(self.signature)?;
        let signed = self.signed.as_bytes();
        match crypto::verify(self.signature, signed, key, algorithm.into()) {
            Ok(true) => unique_json::from_slice(&claims).map_err(|_| VerifyError::BadClaims),
            Ok(false) | Err(_) => Err(VerifyError::BadSignature),
        }
    }
}

/// Decodes base64url without padding, in its canonical form only (RFC 7515 §2).
fn decode(part: &str) -> Result<Vec<u8>, VerifyError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| VerifyError::Malformed)?;
    if URL_SAFE_NO_PAD.encode(&bytes) != part {
        return Err(VerifyError::Malformed);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
