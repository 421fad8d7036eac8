//! Verification of what others signed, without josekit and OpenSSL.

mod algorithm;
mod claim_formats;
mod claims;
mod dpop;
mod dpop_nonce;
mod error;
mod groups;
mod jwk;
mod jws;
mod key_set;
mod profile;
mod published_keys;
mod restrictions;
pub mod unique_json;
mod verifier;
mod verifying_key;

pub(crate) use self::verifying_key::VerifyingKey;
pub use self::{
    algorithm::Algorithm,
    claim_formats::{lenient, numeric_date, optional_numeric_date},
    claims::{AccessTokenClaims, Actor, Audience, Confirmation, Lifetime},
    dpop::{DpopCheck, DpopError, DpopProof, MAX_DPOP_AGE},
    dpop_nonce::{dpop_nonce, dpop_nonce_intervals},
    error::{KeyError, VerifyError},
    groups::groups,
    jwk::PublicJwk,
    jws::UnverifiedToken,
    key_set::KeySet,
    profile::Profile,
    published_keys::PublishedKeys,
    restrictions::UNENFORCED_CLAIMS,
    verifier::{Candidate, Verifier},
};
#[cfg(feature = "sign")]
pub(crate) use self::{
    dpop::{DPOP_TYPE, ProofClaims, ath, htu},
    jwk::KeyMaterial,
    verifier::ACCESS_TOKEN_TYPE,
};
