//! One file for each endpoint of `auth`. A test changes one thing of a valid request.

mod account;
mod authorize;
mod consent;
pub(crate) mod device;
pub(crate) mod device_authorization;
mod end_session;
mod introspect;
mod jwks;
mod logo;
mod metadata;
mod par;
mod ready;
mod register;
mod revocations;
mod revoke;
mod scim;
pub(crate) mod sign_in;
mod sign_out;
mod token;
mod userinfo;
