//! The names of the grants at the token endpoint, and of what a client registers for.

/// A code that the browser brought back (OAuth 2.1 §4.1).
pub(crate) const AUTHORIZATION_CODE: &str = "authorization_code";
/// A refresh token (OAuth 2.1 §4.3).
pub(crate) const REFRESH_TOKEN: &str = "refresh_token";
/// The client itself (OAuth 2.1 §4.2).
pub(crate) const CLIENT_CREDENTIALS: &str = "client_credentials";
/// A code that a user types elsewhere (RFC 8628 §3.4).
pub(crate) const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// A token of another server (RFC 8693 §2.1).
pub(crate) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// A signed assertion (RFC 7523 §2.1).
pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
