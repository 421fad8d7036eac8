//! Keys, signed tokens and sealed values of Portcullis. Nothing in it does input or output.
//!
//! Without features, the crate verifies: [`Verifier`] checks access tokens (RFC 9068),
//! [`PublishedKeys`] any signed token, [`DpopProof`] that a sender holds its key (RFC 9449).
//! The feature `sign` adds signing keys, their rotation and what is signed with them; `seal` adds
//! secrets, and the values that are encrypted (RFC 7516) or tagged with them. Both need OpenSSL.

#[cfg(feature = "seal")]
mod seal;
#[cfg(feature = "sign")]
mod sign;
mod verify;

#[cfg(feature = "seal")]
pub use self::seal::{Authenticator, MasterSecrets, SealError, Sealer, SecretError};
#[cfg(feature = "sign")]
pub use self::sign::{
    DpopRequest, IdTokenClaims, KeyRing, KeyState, LogoutEvents, LogoutTokenClaims, RingEntry,
    Rotation, SigningKey, TokenType, UserClaims,
};
pub use self::verify::{
    AccessTokenClaims, Actor, Algorithm, Audience, Candidate, Confirmation, DpopCheck, DpopError,
    DpopProof, KeyError, KeySet, Lifetime, MAX_DPOP_AGE, Profile, PublicJwk, PublishedKeys,
    UNENFORCED_CLAIMS, UnverifiedToken, Verifier, VerifyError, dpop_nonce, dpop_nonce_intervals,
    groups, lenient, numeric_date, optional_numeric_date, unique_json,
};
