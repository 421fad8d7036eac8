//! One endpoint, one file, named by the last segment of its URL.

pub mod account;
pub mod authorize;
pub mod consent;
pub mod device;
pub mod device_authorization;
pub mod end_session;
pub mod health;
pub mod home;
pub mod introspect;
pub mod jwks;
pub mod logo;
pub mod metadata;
pub mod par;
pub mod ready;
pub mod register;
pub mod revocations;
pub mod revoke;
pub mod sign_in;
pub mod sign_out;
pub mod style;
pub mod token;
pub mod userinfo;
