//! The client's half of MCP authorization (revision 2026-07-28), one file per step:
//!
//! 1. [`challenge`]: the server's 401 or 403 says what it wants (RFC 9110 §11.6.1, RFC 6750 §3).
//! 2. [`protected_resource`]: its metadata names its authorization server (RFC 9728).
//! 3. [`authorization_server_metadata`]: that server's endpoints and abilities (RFC 8414).
//! 4. [`identity`] and [`registration`]: who this client is there (RFC 7591).
//! 5. [`scope`]: what to ask for; [`pkce`]: proof that the code comes back to us (RFC 7636).
//! 6. [`authorization_request`]: the address the browser opens.
//! 7. [`authorization_response`]: what comes back, `state` and `iss` checked (RFC 9207).
//! 8. [`token`]: the code becomes tokens, kept as a [`grant`]; later [`revocation`] ends them.
//!
//! These are rules and messages. [`crate::sign_in`] takes steps 4 to 8 with a browser and the file
//! of credentials, [`crate::session::renewal`] renews tokens, and [`discovery`] is steps 2 and 3
//! alone. [`identity`] decides which client this is before step 4.
//!
//! Without a browser or a user, another grant replaces steps 5 to 7: [`device_authorization`],
//! [`client_credentials`], [`enterprise`] or [`workload`]. [`dpop`] binds tokens to a key if
//! [`dpop_choice`] says so, [`client_assertion`] authenticates a client with a private key, and
//! [`legacy`] supports servers that are older than step 2.

pub(crate) mod authorization_request;
pub(crate) mod authorization_response;
pub(crate) mod authorization_server_metadata;
pub(crate) mod challenge;
pub(crate) mod client_assertion;
pub(crate) mod client_credentials;
pub(crate) mod device_authorization;
pub(crate) mod discovery;
pub(crate) mod dpop;
pub(crate) mod dpop_choice;
pub(crate) mod enterprise;
mod error;
mod error_response;
pub(crate) mod grant;
pub(crate) mod grant_type;
pub(crate) mod identity;
pub(crate) mod legacy;
mod member;
pub(crate) mod pkce;
pub(crate) mod protected_resource;
pub(crate) mod registration;
pub(crate) mod revocation;
pub(crate) mod scope;
pub(crate) mod token;
pub(crate) mod user_info;
mod well_known;
pub(crate) mod workload;

pub(crate) use error::OAuthError;
