//! A strict parser of compact JWS. It refuses what two parsers could read differently, before any key
//! is used (RFC 7515 §5.2, RFC 8725 §3).

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{Algorithm, VerifyError, VerifyingKey, unique_json};

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
    claims: Vec<u8>,
    signature: Vec<u8>,
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
        let header = decode(header)?;
        let members = unique_json::parse(&header).map_err(|_| VerifyError::Malformed)?;
        Ok(Self {
            has_extension: EXTENSIONS.iter().any(|name| members.get(name).is_some()),
            header: serde_json::from_slice(&header).map_err(|_| VerifyError::Malformed)?,
            signed,
            claims: decode(claims)?,
            signature: decode(signature)?,
        })
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

    /// The claims before anything is verified. Use them only to choose the keys to verify with, or to
    /// refuse the token.
    ///
    /// # Errors
    /// [`VerifyError::BadClaims`] if the claims are not a `T`.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, VerifyError> {
        serde_json::from_slice(&self.claims).map_err(|_| VerifyError::BadClaims)
    }

    /// Every claim, by name, before anything is verified.
    pub(crate) fn members(&self) -> Result<unique_json::Object<'_>, VerifyError> {
        unique_json::parse(&self.claims).map_err(|_| VerifyError::BadClaims)
    }

    /// The claims before anything is verified, if none comes twice.
    pub(crate) fn unique_claims<T: DeserializeOwned>(&self) -> Result<T, VerifyError> {
        self.members()?;
        self.claims()
    }

    /// Refuses a `typ` that `is_type` does not accept, and every header extension. `is_type` gets
    /// `typ` as it is spelled.
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

    /// Refuses a `typ` that `is_type` does not accept, and every header extension. `is_type` gets
    /// `typ` as a media type: in lower case and without `application/` (RFC 7515 §4.1.9).
    pub(crate) fn check_media_type(
        &self,
        is_type: impl Fn(Option<&str>) -> bool,
    ) -> Result<(), VerifyError> {
        self.check_header(|typ| is_type(typ.map(media_type).as_deref()))
    }

    /// Verifies the signature with `key`, by the algorithm of the key.
    pub(crate) fn verify_signature(&self, key: &VerifyingKey) -> Result<(), VerifyError> {
        if !key.is_for(&self.header.alg) {
            return Err(VerifyError::WrongAlgorithm);
        }
        if key.has_signed(self.signed.as_bytes(), &self.signature) {
            Ok(())
        } else {
            Err(VerifyError::BadSignature)
        }
    }
}

/// Decodes base64url without padding, in its canonical form only (RFC 7515 §2): the decoder refuses
/// padding, other alphabets, and unused bits that are set.
fn decode(part: &str) -> Result<Vec<u8>, VerifyError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| VerifyError::Malformed)
}

fn media_type(typ: &str) -> Cow<'_, str> {
    const PREFIX: &str = "application/";
    let has_prefix = typ.get(..PREFIX.len()).is_some_and(|it| it.eq_ignore_ascii_case(PREFIX));
    let name = if has_prefix { typ.get(PREFIX.len()..).unwrap_or_default() } else { typ };
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

#[cfg(test)]
mod tests;
