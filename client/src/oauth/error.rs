//! Why a sign-in, a refresh or a revocation did not succeed.

use std::{fmt, io};

use super::member::WrongMember;
use crate::{
    exit::Exit,
    http::{FetchError, server_address},
};

/// One variant per refusal. Each says what is wrong and where; its hint says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OAuthError {
    #[error(transparent)]
    Fetch(#[from] FetchError),

    // Step 2: protected resource metadata (RFC 9728).
    #[error("the server announces its metadata at `{address}`, which is not an address")]
    AnnouncedAddress { address: String },
    #[error("{server} asks for a token but publishes no metadata (RFC 9728); looked at {tried}")]
    NoResourceMetadata { server: String, tried: String },
    #[error("the metadata at {url} is for {resource}, not for {server} (RFC 9728 §3.3)")]
    ResourceMismatch { url: String, resource: String, server: String },
    #[error("the metadata of {resource} names no authorization server (RFC 9728 §2)")]
    NoAuthorizationServer { resource: String },

    // Step 3: authorization server metadata (RFC 8414).
    #[error("`{issuer}` is not an issuer identifier (RFC 8414 §2)")]
    InvalidIssuer { issuer: String },
    #[error("{issuer} publishes no authorization server metadata; looked at {tried}")]
    NoAuthorizationServerMetadata { issuer: String, tried: String },
    #[error("the metadata at {url} says its issuer is {found}, not {expected} (RFC 8414 §3.3)")]
    IssuerMismatch { url: String, expected: String, found: String },
    #[error(transparent)]
    WrongMember(#[from] WrongMember),
    #[error("the metadata of {issuer} has no {endpoint}")]
    MissingEndpoint { issuer: String, endpoint: &'static str },
    #[error("{issuer} does not say that it supports PKCE with S256; signing in would not be safe")]
    NoPkce { issuer: String },
    #[error("refused to open {endpoint}: it has characters that no sign-in address needs")]
    UnsafeEndpoint { endpoint: String },

    // Step 4: registration (RFC 7591).
    #[error("{issuer} refused to register this client: {reason}")]
    RegistrationRefused { issuer: String, reason: String },
    #[error(
        "{issuer} accepts only client authentication that this client does not know: {methods}"
    )]
    NoAuthenticationMethod { issuer: String, methods: String },
    #[error("this client is registered at {expected}, but the server now names {found}")]
    ForeignIssuer { expected: String, found: String },
    #[error("this way of signing in needs a client that was registered beforehand")]
    NoPreRegisteredClient,
    #[error("the key cannot be used: {reason}")]
    UnusableKey { reason: String },
    /// Bound tokens are required and the server issues none.
    #[error("{issuer} does not bind tokens to a key with ES256 (RFC 9449)")]
    NoDpop { issuer: String },

    // Steps 5 to 7: the browser's round trip.
    #[error("the server wants {count} scopes, more than any request can carry")]
    TooManyScopes { count: usize },
    #[error("the operating system provides no random numbers")]
    Random,
    #[error("cannot listen on 127.0.0.1 for the browser's answer: {0}")]
    Listener(io::Error),
    #[error("the browser did not come back within {seconds} seconds")]
    TimedOut { seconds: u64 },
    #[error("you refused access, so nothing was allowed")]
    Denied,
    #[error("{issuer} did not allow the sign-in: {reason}")]
    AuthorizationRefused { issuer: String, reason: String },
    #[error("the answer in the browser came from {found}, not from {expected} (RFC 9207 §2.4)")]
    WrongIssuer { expected: String, found: String },
    /// The response has no `iss`, although the server promised it.
    #[error("the answer in the browser does not say that it comes from {expected} (RFC 9207 §2.4)")]
    MissingIssuer { expected: String },
    #[error("the answer in the browser is malformed: {reason}")]
    MalformedResponse { reason: &'static str },

    // Step 8: tokens.
    #[error("{issuer} refused to issue a token: {reason}")]
    TokenRefused {
        issuer: String,
        /// The `error` member (RFC 6749 §5.2), or the HTTP status without one.
        error: String,
        /// The error with the server's own words.
        reason: String,
    },
    #[error("the token {issuer} issued is not usable: {reason}")]
    UnusableToken { issuer: String, reason: String },
    #[error("{issuer} refused to revoke the token: {reason}")]
    RevocationRefused { issuer: String, reason: String },
    /// The server has refused the tokens of several sign-ins in a row.
    #[error("{server} refuses every token that its authorization server issues")]
    TokensRefused { server: String },
}

impl OAuthError {
    pub(super) fn unusable_key(reason: impl fmt::Display) -> Self {
        Self::UnusableKey { reason: reason.to_string() }
    }

    /// Whether the same request may succeed in a moment.
    pub(crate) fn is_temporary(&self) -> bool {
        match self {
            Self::Fetch(error) => error.exit() == Exit::Unreachable,
            Self::TokenRefused { error, .. } => {
                matches!(error.as_str(), "temporarily_unavailable" | "server_error" | "slow_down")
            }
            _ => false,
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Fetch(error) if error.exit() == Exit::Unreachable => Exit::Unreachable,
            _ => Exit::SignIn,
        }
    }

    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Fetch(error) => error.kind().1,
            Self::AnnouncedAddress { .. }
            | Self::NoResourceMetadata { .. }
            | Self::ResourceMismatch { .. }
            | Self::NoAuthorizationServer { .. } => "resource_metadata",
            Self::InvalidIssuer { .. }
            | Self::NoAuthorizationServerMetadata { .. }
            | Self::IssuerMismatch { .. }
            | Self::WrongMember(_)
            | Self::MissingEndpoint { .. }
            | Self::NoPkce { .. }
            | Self::UnsafeEndpoint { .. } => "authorization_server_metadata",
            Self::RegistrationRefused { .. } | Self::NoAuthenticationMethod { .. } => {
                "registration_refused"
            }
            Self::ForeignIssuer { .. } => "foreign_issuer",
            Self::NoPreRegisteredClient => "client_needed",
            Self::UnusableKey { .. } => "unusable_key",
            Self::NoDpop { .. } => "no_dpop",
            Self::TooManyScopes { .. } => "too_many_scopes",
            Self::Random | Self::Listener(_) => "sign_in_failed",
            Self::TimedOut { .. } => "sign_in_timed_out",
            Self::Denied => "access_denied",
            Self::AuthorizationRefused { .. } => "authorization_refused",
            Self::WrongIssuer { .. }
            | Self::MissingIssuer { .. }
            | Self::MalformedResponse { .. } => "authorization_response",
            Self::TokenRefused { .. } | Self::UnusableToken { .. } => "token_refused",
            Self::RevocationRefused { .. } => "revocation_refused",
            Self::TokensRefused { .. } => "token_not_accepted",
        }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Fetch(error) => return error.hint(),
            Self::ResourceMismatch { resource, .. } if server_address::parse(resource).is_ok() => {
                return Some(format!("if that is the server you mean, use `--server {resource}`"));
            }
            Self::ResourceMismatch { server, .. } => {
                return Some(format!(
                    "the operator of the server must let its metadata name {server}; nothing was sent"
                ));
            }
            Self::ForeignIssuer { found, .. } => {
                return Some(format!("nothing was sent; if that is right, use `--issuer {found}`"));
            }
            Self::AnnouncedAddress { .. }
            | Self::NoResourceMetadata { .. }
            | Self::NoAuthorizationServer { .. }
            | Self::InvalidIssuer { .. }
            | Self::NoAuthorizationServerMetadata { .. }
            | Self::IssuerMismatch { .. }
            | Self::WrongMember(_)
            | Self::MissingEndpoint { .. }
            | Self::NoPkce { .. }
            | Self::UnsafeEndpoint { .. }
            | Self::TooManyScopes { .. } => {
                "only the operator of the server can correct this; nothing was sent"
            }
            Self::RegistrationRefused { .. } | Self::NoAuthenticationMethod { .. } => {
                "ask the operator of the authorization server to register a native client"
            }
            Self::TimedOut { .. } => {
                "run the command again; whatever the browser showed, the next try starts afresh"
            }
            Self::Denied => "run the command again and choose Allow, if you change your mind",
            Self::WrongIssuer { .. } | Self::MissingIssuer { .. } => {
                "someone may be mixing up two servers; the code was not used"
            }
            Self::AuthorizationRefused { .. }
            | Self::MalformedResponse { .. }
            | Self::TokenRefused { .. }
            | Self::UnusableToken { .. } => "sign in again with `client login`",
            Self::TokensRefused { .. } => "its log says why: audience, issuer, clock or signature",
            Self::NoPreRegisteredClient => {
                "name it with `--client-id` and its secret or key in a file"
            }
            Self::UnusableKey { .. } => {
                "give a PKCS#8 key in PEM or a private JWK; or sign in again"
            }
            Self::NoDpop { .. } => "try `--dpop never`, if the server allows that",
            Self::Random | Self::Listener(_) | Self::RevocationRefused { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
