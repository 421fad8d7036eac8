//! Signing keys and what is signed with them.

mod claims;
mod dpop;
mod key_ring;
mod signing_key;
mod token_type;

pub use self::{
    claims::{IdTokenClaims, LogoutEvents, LogoutTokenClaims, UserClaims},
    dpop::DpopRequest,
    key_ring::{KeyRing, KeyState, RingEntry, Rotation},
    signing_key::SigningKey,
    token_type::TokenType,
};
