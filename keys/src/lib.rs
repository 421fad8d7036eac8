//! Signing keys, signed tokens and sealed values: values in, values out, no input or output.
//!
//! - [`SigningKey`] and [`KeyRing`] sign tokens; [`KeySet`] is what they publish (RFC 7517 §5).
//! - [`DpopProof`] is what shows that the sender of a request holds a key (RFC 9449).
//! - [`Verifier`] turns the text of a token into [`AccessTokenClaims`], or says which check failed.
//! - [`PublishedKeys`] are the keys that verify: of issuers, of clients and of this server.
//! - [`MasterSecrets`] opens and closes everything that is kept at rest or travels through a
//!   browser: a [`Sealer`] encrypts (RFC 7516), an [`Authenticator`] derives and checks tags.

mod authenticator;
mod claim_formats;
mod claims;
mod dpop;
mod error;
mod jwk;
mod jws;
mod key_ring;
mod key_set;
mod master_secrets;
mod published_keys;
mod restrictions;
mod sealer;
mod sealing_line;
mod signing_key;
pub mod unique_json;
mod verifier;

pub use authenticator::Authenticator;
pub use claim_formats::{lenient, numeric_date, optional_numeric_date};
pub use claims::{
    AccessTokenClaims, Actor, Audience, Confirmation, IdTokenClaims, LogoutTokenClaims, UserClaims,
};
pub use dpop::{DpopCheck, DpopError, DpopProof, DpopRequest, LONGEST_AGE as LONGEST_DPOP_AGE};
pub use error::{KeyError, SealError, SecretError, VerifyError};
pub use jwk::PublicJwk;
pub use jws::{algorithm_of, unverified_claims};
pub use key_ring::{KeyRing, KeyState, RingEntry, Rotation};
pub use key_set::KeySet;
pub use master_secrets::MasterSecrets;
pub use published_keys::PublishedKeys;
pub use restrictions::UNENFORCED_CLAIMS;
pub use sealer::Sealer;
pub use signing_key::{Algorithm, SigningKey, TokenType};
pub use verifier::Verifier;
