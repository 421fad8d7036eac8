//! What can be wrong with keys and tokens.

use thiserror::Error;

/// A key cannot be generated, read or used.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The algorithm is not one of ES256, EdDSA and RS256.
    #[error("the signing algorithm {0:?} is not supported; use ES256, EdDSA or RS256")]
    UnsupportedAlgorithm(String),
    /// The JWK has parts missing or malformed (RFC 7517 §4, RFC 7518 §6).
    #[error("the key is not a usable JWK: {0}")]
    Malformed(String),
    /// The cryptographic library refused.
    #[error("the key could not be used: {0}")]
    Unusable(String),
    /// No key of the ring is allowed to sign at this time.
    #[error("no signing key is active at this time")]
    NoneActive,
}

/// Why a token was refused. The text names the failed check and nothing of the token, so that it can
/// be used in `error_description` (RFC 6750 §3).
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum VerifyError {
    /// Not three base64url parts holding JSON objects (RFC 7519 §7.2).
    #[error("the token is not a well-formed JWT")]
    Malformed,
    /// `typ` is not `at+jwt` (RFC 9068 §4).
    #[error("the token is not an access token: its typ is not at+jwt")]
    WrongType,
    /// `crit` names an extension; none is understood (RFC 7515 §4.1.11).
    #[error("the token demands a header extension that is not understood")]
    CriticalHeader,
    /// No `kid`, so no key can be chosen.
    #[error("the token does not name its key")]
    NoKeyId,
    /// The key set has no such `kid`.
    #[error("the token names a key that its issuer does not publish")]
    UnknownKey,
    /// `alg` is not the algorithm of the key (RFC 8725 §3.1).
    #[error("the token's algorithm is not that of its key")]
    WrongAlgorithm,
    /// The signature does not match.
    #[error("the token's signature does not match")]
    BadSignature,
    /// A required claim is missing or has the wrong JSON type (RFC 9068 §2.2).
    #[error("the token lacks a required claim, or one has the wrong form")]
    BadClaims,
    /// A claim restricts the token in a way that nothing here enforces.
    #[error("the token is restricted by a claim that is not enforced here")]
    Restricted,
    /// `iss` is another issuer.
    #[error("the token was issued by another authorization server")]
    WrongIssuer,
    /// `aud` does not contain this resource, or contains others (RFC 8707 §2).
    #[error("the token was issued for another resource")]
    WrongAudience,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` or `iat` lies in the future.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// More than a day lies between `iat` and `exp`.
    #[error("the token is good for longer than a day; ask its issuer for a shorter one")]
    TooLongLived,
}
