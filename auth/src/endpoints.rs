//! One endpoint, one file, named by the last segment of its URL.

pub(crate) mod account;
pub(crate) mod authorize;
pub(crate) mod consent;
pub(crate) mod device;
pub(crate) mod device_authorization;
pub(crate) mod end_session;
pub(crate) mod health;
pub(crate) mod home;
pub(crate) mod introspect;
pub(crate) mod jwks;
pub(crate) mod logo;
pub(crate) mod metadata;
pub(crate) mod par;
pub(crate) mod ready;
pub(crate) mod register;
pub(crate) mod revocations;
pub(crate) mod revoke;
pub(crate) mod scim;
pub(crate) mod sign_in;
pub(crate) mod sign_out;
pub(crate) mod style;
pub(crate) mod token;
pub(crate) mod userinfo;
