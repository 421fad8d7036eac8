//! Why a request is refused, and how each refusal is answered.

use axum::http::StatusCode;
use keys::{DpopError, VerifyError};
use rmcp::model::ErrorCode;
use serde_json::Value;
use thiserror::Error;

/// A refusal. The text names the failed check and nothing of the token.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum Refusal {
    #[error("this server needs an access token")]
    Missing,
    /// The header does not hold one token (RFC 6750 §2.1).
    #[error("the Authorization header must hold one token, after Bearer or DPoP")]
    Malformed,
    #[error("the header {0} was sent more than once")]
    Repeated(&'static str),
    /// RFC 9700 §4.3.2.
    #[error("access tokens are not accepted in the query; send the Authorization header")]
    InQuery,
    #[error("the token is longer than 16 KiB")]
    TooLong,
    #[error(transparent)]
    Token(#[from] VerifyError),
    /// The token is opaque, and introspection is not set up.
    #[error("the token is not a JWT, and this server accepts no other tokens")]
    Opaque,
    /// The introspection endpoint says that the token is not active.
    #[error("the token has expired, was revoked, or is not for this resource")]
    Inactive,
    #[error("the token was revoked; sign in again")]
    Revoked,
    /// The key may have been stolen.
    #[error("the key that signed the token was withdrawn; refresh the token")]
    KeyWithdrawn,
    /// The guard fails closed, and the deny list is out of date.
    #[error("the list of revoked tokens is not available; try again in a moment")]
    RevocationsUnknown,
    #[error("the keys of the authorization server are not available; try again in a moment")]
    NoKeys,
    /// The authorization server does not answer, and only it can verify this token.
    #[error("the authorization server does not answer; try again in a moment")]
    Unreachable,
    /// The scopes that the operation needs (RFC 6750 §3.1).
    #[error("the operation needs scopes that the token does not have")]
    InsufficientScope(Vec<String>),
    /// The groups that the operation is for, as far as the caller is not in them. No other token helps.
    #[error("the operation is for people in {}; ask the operator of this server", in_words(.0))]
    NotInGroup(Vec<String>),
    /// A thief would send a stolen bound token this way (RFC 9449 §7.2).
    #[error("the token is bound to a key; send it with the scheme DPoP and a proof")]
    BoundAsBearer,
    #[error("the token is not bound to a key; request one with a DPoP proof")]
    Unbound,
    #[error("the DPoP header must hold one proof")]
    NoProof,
    #[error(transparent)]
    Proof(#[from] DpopError),
    #[error("the token is bound to another key than that of the proof")]
    OtherKey,
    #[error("the DPoP proof was used before; make a new one for each request")]
    ProofReplayed,
    /// RFC 9449 §9.
    #[error("the DPoP proof must contain the nonce of this response")]
    NonceRequired,
    /// The guard cannot remember more proofs.
    #[error("this server receives too many requests with proofs; try again in a moment")]
    ProofsExhausted,
    #[error("too many requests with proofs; wait a minute")]
    TooManyProofs,
    #[error("too many of your requests are in progress; wait until some are answered")]
    TooManyRequests,
    /// The id is that of the request for one more stream.
    #[error("too many of your streams are open; close some")]
    TooManyStreams(Option<Value>),
    /// The sign of DNS rebinding: a page had its own name resolve to this machine.
    #[error("the Host header does not name this server")]
    ForeignHost,
    #[error("pages of this origin may not call this server")]
    ForeignOrigin,
    /// The body is not one JSON-RPC message, or two readers could understand it differently.
    #[error(
        "the body must be one JSON-RPC message, without members that are repeated or differ in case only"
    )]
    Unreadable,
    /// A parameter has the wrong type, or a header contradicts the body (JSON-RPC 2.0 §5.1).
    #[error("{why}")]
    InvalidMessage {
        code: ErrorCode,
        /// The id of the request; `None` for a notification.
        id: Option<Value>,
        why: String,
    },
    #[error("this server answers GET, POST and DELETE")]
    Method,
    #[error("the body is larger than 4 MiB")]
    TooLarge,
    #[error("the body took longer than 30 seconds")]
    TooSlow,
}

/// How a refusal is answered and logged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivery {
    pub(crate) status: StatusCode,
    pub(crate) body: Body,
    /// A stable code for logs and metrics.
    pub(crate) reason: &'static str,
}

/// The body of the answer, with its error code.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Body {
    /// An OAuth error that also appears in a challenge, because another token or proof would help
    /// (RFC 6750 §3.1, RFC 9449 §7.1).
    Challenge(&'static str),
    /// An OAuth error without a challenge.
    Plain(&'static str),
    /// A JSON-RPC error (JSON-RPC 2.0 §5.1).
    JsonRpc(i32),
}

impl Body {
    /// The OAuth error, also for what an MCP client is told in JSON-RPC.
    pub(crate) fn oauth_error(self) -> &'static str {
        match self {
            Self::Challenge(code) | Self::Plain(code) => code,
            Self::JsonRpc(_) => "temporarily_unavailable",
        }
    }
}

const INVALID_TOKEN: Body = Body::Challenge("invalid_token");
const INVALID_PROOF: Body = Body::Challenge("invalid_dpop_proof");
const INVALID_CREDENTIALS: Body = Body::Challenge("invalid_request");
const ACCESS_DENIED: Body = Body::Plain("access_denied");
const INVALID_REQUEST: Body = Body::Plain("invalid_request");
const UNAVAILABLE: Body = Body::Plain("temporarily_unavailable");
/// JSON-RPC leaves -32000 to -32099 to servers (JSON-RPC 2.0 §5.1).
const TOO_MANY: Body = Body::JsonRpc(-32000);

impl Refusal {
    /// The one table of refusals.
    pub(crate) fn delivery(&self) -> Delivery {
        use StatusCode as S;
        let (status, body, reason) = match self {
            Self::Missing => (S::UNAUTHORIZED, INVALID_TOKEN, "token_missing"),
            Self::Malformed => (S::BAD_REQUEST, INVALID_CREDENTIALS, "authorization_malformed"),
            Self::Repeated(_) => (S::BAD_REQUEST, INVALID_CREDENTIALS, "header_doubled"),
            Self::InQuery => (S::BAD_REQUEST, INVALID_CREDENTIALS, "token_in_query"),
            Self::TooLong => (S::UNAUTHORIZED, INVALID_TOKEN, "token_too_long"),
            Self::Token(error) => (S::UNAUTHORIZED, INVALID_TOKEN, token_reason(error)),
            Self::Opaque => (S::UNAUTHORIZED, INVALID_TOKEN, "token_opaque"),
            Self::Inactive => (S::UNAUTHORIZED, INVALID_TOKEN, "token_inactive"),
            Self::Revoked => (S::UNAUTHORIZED, INVALID_TOKEN, "token_revoked"),
            Self::KeyWithdrawn => (S::UNAUTHORIZED, INVALID_TOKEN, "token_key_withdrawn"),
            Self::RevocationsUnknown => {
                (S::SERVICE_UNAVAILABLE, UNAVAILABLE, "revocations_unknown")
            }
            Self::NoKeys => (S::SERVICE_UNAVAILABLE, UNAVAILABLE, "keys_unavailable"),
            Self::Unreachable => (S::SERVICE_UNAVAILABLE, UNAVAILABLE, "introspection_unavailable"),
            Self::InsufficientScope(_) => {
                (S::FORBIDDEN, Body::Challenge("insufficient_scope"), "scope_insufficient")
            }
            Self::NotInGroup(_) => (S::FORBIDDEN, ACCESS_DENIED, "group_missing"),
            Self::BoundAsBearer => (S::UNAUTHORIZED, INVALID_TOKEN, "token_bound_as_bearer"),
            Self::Unbound => (S::UNAUTHORIZED, INVALID_TOKEN, "token_unbound"),
            Self::NoProof => (S::UNAUTHORIZED, INVALID_PROOF, "proof_missing"),
            Self::Proof(_) => (S::UNAUTHORIZED, INVALID_PROOF, "proof_refused"),
            Self::OtherKey => (S::UNAUTHORIZED, INVALID_TOKEN, "proof_of_other_key"),
            Self::ProofReplayed => (S::UNAUTHORIZED, INVALID_PROOF, "proof_replayed"),
            Self::NonceRequired => {
                (S::UNAUTHORIZED, Body::Challenge("use_dpop_nonce"), "proof_nonce_due")
            }
            Self::ProofsExhausted => (S::SERVICE_UNAVAILABLE, UNAVAILABLE, "proofs_exhausted"),
            Self::TooManyProofs => (S::TOO_MANY_REQUESTS, TOO_MANY, "proofs_too_many"),
            Self::TooManyRequests => (S::TOO_MANY_REQUESTS, TOO_MANY, "requests_too_many"),
            Self::TooManyStreams(_) => (S::TOO_MANY_REQUESTS, TOO_MANY, "streams_too_many"),
            Self::ForeignHost => (S::FORBIDDEN, INVALID_REQUEST, "host_foreign"),
            Self::ForeignOrigin => (S::FORBIDDEN, INVALID_REQUEST, "origin_foreign"),
            Self::Unreadable => {
                (S::BAD_REQUEST, Body::JsonRpc(ErrorCode::PARSE_ERROR.0), "body_unreadable")
            }
            Self::InvalidMessage { code, id, .. } => invalid_message(*code, id.is_some()),
            Self::Method => (S::METHOD_NOT_ALLOWED, INVALID_REQUEST, "method_not_allowed"),
            Self::TooLarge => (S::PAYLOAD_TOO_LARGE, INVALID_REQUEST, "body_too_large"),
            Self::TooSlow => (S::REQUEST_TIMEOUT, INVALID_REQUEST, "body_too_slow"),
        };
        Delivery { status, body, reason }
    }

    /// The text as a sentence, for `error_description`.
    pub(crate) fn description(&self) -> String {
        let text = self.to_string();
        let mut rest = text.chars();
        let first = rest.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(rest).chain(['.']).collect()
    }

    /// The id of the request that a JSON-RPC error answers.
    pub(crate) fn request_id(&self) -> Option<&Value> {
        match self {
            Self::TooManyStreams(id) | Self::InvalidMessage { id, .. } => id.as_ref(),
            _ => None,
        }
    }
}

/// The names of groups in a sentence.
fn in_words(groups: &[String]) -> String {
    let kind = if groups.len() == 1 { "the group" } else { "the groups" };
    format!("{kind} {}", groups.join(" and "))
}

fn invalid_message(code: ErrorCode, is_request: bool) -> (StatusCode, Body, &'static str) {
    let reason = match code {
        ErrorCode::HEADER_MISMATCH => "header_mismatch",
        _ => "params_invalid",
    };
    // Wrong parameters are answered in band, as the server itself would: some clients take any
    // other status for a lost connection and never settle the request.
    let is_in_band = is_request && code == ErrorCode::INVALID_PARAMS;
    let status = if is_in_band { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    (status, Body::JsonRpc(code.0), reason)
}

fn token_reason(error: &VerifyError) -> &'static str {
    match error {
        VerifyError::Malformed => "token_malformed",
        VerifyError::WrongType => "token_type",
        VerifyError::CriticalHeader => "token_critical_header",
        VerifyError::NoKeyId => "token_key_unnamed",
        VerifyError::UnknownKey => "token_key_unknown",
        VerifyError::WrongAlgorithm => "token_algorithm",
        VerifyError::BadSignature => "token_signature",
        VerifyError::BadClaims => "token_claims",
        VerifyError::Restricted => "token_restricted",
        VerifyError::WrongIssuer => "token_issuer",
        VerifyError::WrongAudience => "token_audience",
        VerifyError::Expired => "token_expired",
        VerifyError::NotYetValid => "token_not_yet_valid",
        VerifyError::TooLongLived => "token_too_long_lived",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_a_sentence_that_a_header_can_hold() {
        for refusal in [
            Refusal::Missing,
            Refusal::Repeated("host"),
            Refusal::Token(VerifyError::TooLongLived),
            Refusal::Proof(DpopError::WrongTime),
            Refusal::Revoked,
            Refusal::NotInGroup(vec!["staff".into(), "platform".into()]),
        ] {
            let description = refusal.description();
            assert!(description.starts_with(|first: char| first.is_ascii_uppercase()));
            assert!(description.ends_with('.') && !description.ends_with(".."), "{description}");
            assert!(!description.contains(['"', '\\']), "{description}");
        }
    }
}
