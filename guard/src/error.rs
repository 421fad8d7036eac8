//! Why a guard cannot be built.

use thiserror::Error;

/// The guard cannot be built.
#[derive(Debug, Error)]
pub enum GuardError {
    /// The resource identifier is not a URL.
    #[error("the resource identifier {0:?} is not a URL")]
    Resource(String),
    /// Nobody is trusted to issue tokens.
    #[error("a guard needs at least one issuer")]
    NoIssuer,
    /// The HTTP client towards the authorization server cannot be made.
    #[error("the HTTP client cannot be made: {0}")]
    HttpClient(#[from] reqwest::Error),
    /// The machine gives no random numbers.
    #[error("the machine gives no random numbers")]
    Randomness,
    /// The key for request states is too short.
    #[error("the key for request states needs at least 32 bytes")]
    StateKey,
}
