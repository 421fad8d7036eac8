//! One error value for every refusal of the protocol; the delivery is chosen elsewhere.

use std::{borrow::Cow, error::Error, fmt};

/// What was wrong, and so whose fault it is. Several of them share a code on the wire, where the
/// standards have one name for what differs in status or page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorCode {
    /// RFC 6749 §4.1.2.1: the person or the server said no.
    AccessDenied,
    /// RFC 8628 §3.5: the person has not answered yet.
    AuthorizationPending,
    /// RFC 8628 §3.5: the device code is too old.
    ExpiredToken,
    /// RFC 6749 §5.2: client unknown, or it did not prove itself.
    InvalidClient,
    /// RFC 7591 §3.2.2.
    InvalidClientMetadata,
    /// RFC 9449 §5: the proof of possession does not hold.
    InvalidDpopProof,
    /// RFC 6749 §5.2: the code or refresh token is no good.
    InvalidGrant,
    /// RFC 7591 §3.2.2.
    InvalidRedirectUri,
    /// RFC 6749 §5.2.
    InvalidRequest,
    /// RFC 6749 §5.2.
    InvalidScope,
    /// RFC 8707 §2.
    InvalidTarget,
    /// RFC 6750 §3.1.
    InvalidToken,
    /// There is nothing at the address, or nothing that takes such a request.
    NotFound,
    /// More was sent than is read.
    RequestTooLarge,
    /// RFC 6749 §4.1.2.1.
    ServerError,
    /// RFC 8628 §3.5: the device polls too fast.
    SlowDown,
    /// RFC 6749 §4.1.2.1: an outage, worth another try.
    TemporarilyUnavailable,
    /// A rate limit was reached (RFC 6585 §4).
    TooManyRequests,
    /// RFC 6749 §5.2: the client did not register for this grant.
    UnauthorizedClient,
    /// The answer would go to an address that the client has not registered.
    UnregisteredRedirectUri,
    /// RFC 6749 §5.2.
    UnsupportedGrantType,
    /// RFC 6749 §4.1.2.1.
    UnsupportedResponseType,
    /// RFC 7591 §3.2.2.
    UnapprovedSoftwareStatement,
    /// RFC 9449 §8: the proof must carry a nonce of this server.
    UseDpopNonce,
    /// OpenID Connect Core §3.1.2.6.
    LoginRequired,
    /// OpenID Connect Core §3.1.2.6.
    ConsentRequired,
}

impl ErrorCode {
    /// The code on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::AuthorizationPending => "authorization_pending",
            Self::ExpiredToken => "expired_token",
            Self::InvalidClient => "invalid_client",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidRequest
            | Self::NotFound
            | Self::RequestTooLarge
            | Self::UnregisteredRedirectUri => "invalid_request",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::InvalidToken => "invalid_token",
            Self::ServerError => "server_error",
            Self::SlowDown | Self::TooManyRequests => "slow_down",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::UnapprovedSoftwareStatement => "unapproved_software_statement",
            Self::UseDpopNonce => "use_dpop_nonce",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
        }
    }

    /// A refusal with this code. The reason is a stable code for operators, finer than this one; the
    /// description tells the client what to change.
    pub(crate) fn error(
        self,
        reason: &'static str,
        description: impl Into<Cow<'static, str>>,
    ) -> OAuthError {
        OAuthError {
            code: self,
            reason,
            description: description.into(),
            dpop_nonce: None,
            retry_after: None,
            cause: None,
        }
    }
}

/// A refusal: the code and description are for the client, the reason is a stable code for
/// operators, the cause is for the log alone.
#[derive(Debug)]
pub struct OAuthError {
    pub(crate) code: ErrorCode,
    /// A stable code that names the check which failed; finer than `code`.
    pub(crate) reason: &'static str,
    /// A sentence that says what to change.
    pub(crate) description: Cow<'static, str>,
    /// The nonce that the client's next DPoP proof must carry.
    pub(crate) dpop_nonce: Option<String>,
    /// Seconds after which another try makes sense, where that is known.
    pub(crate) retry_after: Option<i64>,
    /// What lies beneath, never shown to the client.
    pub(crate) cause: Option<Box<dyn Error + Send + Sync>>,
}

impl OAuthError {
    pub(crate) fn invalid_request(
        reason: &'static str,
        description: impl Into<Cow<'static, str>>,
    ) -> Self {
        ErrorCode::InvalidRequest.error(reason, description)
    }

    pub(crate) fn invalid_grant(
        reason: &'static str,
        description: impl Into<Cow<'static, str>>,
    ) -> Self {
        ErrorCode::InvalidGrant.error(reason, description)
    }

    /// Something broke on this side. The client learns no more than that.
    pub(crate) fn server_error(
        reason: &'static str,
        cause: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        let description = "The server could not handle the request. Try again; if it persists, \
                           give the operator the request id.";
        ErrorCode::ServerError.error(reason, description).because(cause)
    }

    /// Something that this server needs does not answer just now, as a database that is restarted.
    /// Nothing was decided, so another try may succeed.
    pub(crate) fn outage(
        reason: &'static str,
        cause: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        let description = "The server cannot handle the request just now. Try again in a moment.";
        ErrorCode::TemporarilyUnavailable.error(reason, description).because(cause)
    }

    pub(crate) fn not_found() -> Self {
        ErrorCode::NotFound.error("not_found", "There is nothing at this address.")
    }

    /// A request that no handler could read.
    pub(crate) fn malformed() -> Self {
        ErrorCode::NotFound.error(
            "request_malformed",
            "The path, query or a header of the request is malformed. Correct it and try again.",
        )
    }

    /// Adds the seconds after which another try makes sense.
    pub(crate) fn retry_after(self, seconds: i64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// Adds what lies beneath.
    pub(crate) fn because(self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { cause: Some(cause.into()), ..self }
    }
}

impl fmt::Display for OAuthError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code.as_str(), self.description)
    }
}

impl Error for OAuthError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}
