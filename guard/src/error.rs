//! Why a guard cannot be built.

use thiserror::Error;

/// The guard cannot be built.
#[derive(Debug, Error)]
pub enum GuardError {
    /// The resource identifier is not a URL.
    #[error("the resource identifier {0:?} is not a URL")]
    Resource(String),
    /// There is no trusted issuer.
    #[error("a guard needs at least one issuer")]
    NoIssuer,
    /// The HTTP client for the authorization servers cannot be built.
    #[error("the HTTP client cannot be built: {0}")]
    HttpClient(#[from] reqwest::Error),
    /// The operating system provides no random numbers.
    #[error("the operating system provides no random numbers")]
    Randomness,
    /// The key for request states is too short.
    #[error("the key for request states needs at least 32 bytes")]
    StateKey,
}
