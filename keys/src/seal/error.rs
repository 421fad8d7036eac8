//! What can be wrong with master secrets and sealed values.

use thiserror::Error;

/// A value cannot be sealed or opened.
#[derive(Debug, Error)]
pub enum SealError {
    /// No master secret in use opens the value: it was changed, or sealed under another secret.
    #[error("the sealed value does not open under any master secret in use")]
    DoesNotOpen,
    /// The opened bytes are not the JSON that was expected.
    #[error("the sealed value opens, but does not hold what was expected")]
    UnexpectedContent,
    /// The cryptographic library refused to seal.
    #[error("the value could not be sealed: {0}")]
    CannotSeal(String),
}

/// The text that should hold master secrets does not.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SecretError {
    /// No secret at all.
    #[error("there is no master secret in it; one line holds 43 base64url characters (32 bytes)")]
    Empty,
    /// A line is not 32 bytes in base64url.
    #[error("line {0} is not a master secret; one line holds 43 base64url characters (32 bytes)")]
    Malformed(usize),
}
