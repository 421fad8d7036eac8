//! The rules of OAuth as pure functions: no axum, no database, no clock.

pub(crate) mod assertion;
pub(crate) mod authorization_request;
pub mod client;
pub mod client_assertion;
pub mod client_id_url;
pub mod error;
pub mod foreign_text;
pub mod loopback;
pub(crate) mod parameters;
pub(crate) mod pkce;
pub(crate) mod redirect_target;
pub mod redirect_uri;
pub mod refresh_token;
pub mod resource;
pub mod resource_identifier;
pub mod restrictions;
pub mod scope;
pub mod secret;
pub mod trusted_issuer;
pub(crate) mod user_code;
