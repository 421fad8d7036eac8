//! What a token says before anything is checked: enough to find out whose keys to check it with.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{Algorithm, VerifyError};

/// A token longer than this is not looked at, in bytes.
pub(crate) const LONGEST_TOKEN: usize = 16 * 1024;

/// The members of a JOSE header that matter here. A doubled member is an error.
#[derive(Deserialize)]
pub(crate) struct Header {
    pub(crate) alg: String,
    pub(crate) typ: Option<String>,
    pub(crate) kid: Option<String>,
    pub(crate) crit: Option<Value>,
    pub(crate) jwk: Option<Map<String, Value>>,
}

pub(crate) fn header_of(token: &str) -> Result<Header, VerifyError> {
    let (header, _) = header_and_claims(token)?;
    let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| VerifyError::Malformed)?;
    serde_json::from_slice(&header).map_err(|_| VerifyError::Malformed)
}

/// The claims of a token before anything is checked: only to find out whose keys to check it
/// with.
pub fn unverified_claims<T: DeserializeOwned>(token: &str) -> Result<T, VerifyError> {
    header_of(token)?;
    let (_, claims) = header_and_claims(token)?;
    let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| VerifyError::Malformed)?;
    serde_json::from_slice(&claims).map_err(|_| VerifyError::BadClaims)
}

/// The algorithm that a token names. Once its signature has been verified, it is the one that it
/// was signed by.
pub fn algorithm_of(token: &str) -> Result<Algorithm, VerifyError> {
    header_of(token)?.alg.parse().map_err(|_| VerifyError::WrongAlgorithm)
}

/// The first two of exactly three parts (RFC 7515 §3.1).
fn header_and_claims(token: &str) -> Result<(&str, &str), VerifyError> {
    if token.len() > LONGEST_TOKEN {
        return Err(VerifyError::Malformed);
    }
    let mut parts = token.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(claims), Some(_), None) => Ok((header, claims)),
        _ => Err(VerifyError::Malformed),
    }
}
