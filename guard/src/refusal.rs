//! Why a request is not let through.

use keys::{DpopError, VerifyError};
use serde_json::Value;
use thiserror::Error;

/// A refusal. The text is fit for `error_description`: it names the failed check and nothing of
/// the token.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No credentials at all.
    #[error("this server needs an access token")]
    Missing,
    /// The header is not one bearer token (RFC 6750 §2.1).
    #[error("the Authorization header must hold one token, after Bearer or DPoP")]
    Malformed,
    /// A header that decides something was sent twice.
    #[error("the header {0} was sent more than once")]
    Doubled(&'static str),
    /// A token in the URL (RFC 9700 §4.3.2).
    #[error("access tokens are not taken from the query; send the Authorization header")]
    InQuery,
    /// A token longer than any that is issued.
    #[error("the token is too long to be one of this server's")]
    TooLong,
    /// The token failed a check.
    #[error("{0}")]
    Token(#[from] VerifyError),
    /// An opaque token, and introspection is not set up.
    #[error("the token is not a JWT, and this server takes no other")]
    Opaque,
    /// The authorization server says that the token is not good.
    #[error("the token has expired, was revoked, or is not for this resource")]
    Inactive,
    /// The token, or the grant it came of, was revoked since it was issued.
    #[error("the token was revoked; sign in again")]
    Revoked,
    /// The key that signed the token is no longer trusted: it may have been stolen.
    #[error("the key that signed the token was withdrawn; refresh the token")]
    KeyWithdrawn,
    /// What was revoked lately cannot be known, and this server must know it.
    #[error("what was revoked lately is not known; try again in a moment")]
    RevocationsUnknown,
    /// The authorization server cannot be reached, and the key of this token is not at hand.
    #[error("the keys of the authorization server cannot be fetched; try again in a moment")]
    NoKeys,
    /// The authorization server does not answer, and only it can judge this token.
    #[error("the authorization server does not answer; try again in a moment")]
    Unreachable,
    /// The token is good, but not for this (RFC 6750 §3.1).
    #[error("the operation needs more scopes than the token has")]
    InsufficientScope(Vec<String>),
    /// A bound token without proof: whoever stole it would send it so (RFC 9449 §7.2).
    #[error("the token is bound to a key; send it as DPoP, with a proof")]
    BoundAsBearer,
    /// A token that is bound to no key, where one is needed.
    #[error("the token is not bound to a key; ask for one with a DPoP proof")]
    Unbound,
    /// There is no proof.
    #[error("the DPoP header must hold one proof")]
    NoProof,
    /// The proof failed a check (RFC 9449 §4.3).
    #[error("{0}")]
    Proof(#[from] DpopError),
    /// The proof is by another key than the token's.
    #[error("the token is bound to another key than that of the proof")]
    OtherKey,
    /// The proof was shown before.
    #[error("the DPoP proof was used before; make a new one for each request")]
    ProofReplayed,
    /// The proof must carry a nonce of this server (RFC 9449 §9).
    #[error("the DPoP proof must carry the nonce of this answer")]
    NonceDue,
    /// No more proofs can be remembered.
    #[error("too many requests with proofs; try again in a moment")]
    ProofsExhausted,
    /// The caller has shown too many proofs within a minute.
    #[error("too many requests with proofs; wait a minute")]
    TooManyProofs,
    /// The caller has too many requests under way.
    #[error("too many requests of yours are under way; wait until some are answered")]
    TooManyRequests,
    /// The caller listens on too many streams. The id is that of the request for one more.
    #[error("too many streams of yours are open; close some")]
    TooManyStreams(Option<Value>),
    /// The token is good, and the server is called by a name that is not its own: the sign of a
    /// page that had its own name resolve to this machine.
    #[error("the Host header does not name this server")]
    ForeignHost,
    /// A page of another origin calls.
    #[error("pages of this origin may not call this server")]
    ForeignOrigin,
    /// The body is not one JSON-RPC message, or could be read in two ways.
    #[error(
        "the body must be one JSON-RPC message, in which no member comes twice or in another case"
    )]
    Unreadable,
    /// The message cannot be served as it is: a parameter has a wrong type, or a header says
    /// something else than the body (JSON-RPC 2.0 §5.1).
    #[error("{why}")]
    InvalidMessage {
        /// The JSON-RPC error code.
        code: i32,
        /// What the request is answered by; `None` for a notification.
        id: Option<Value>,
        /// What is wrong.
        why: String,
    },
    /// A method that no MCP client uses.
    #[error("this server answers GET, POST and DELETE")]
    Method,
    /// The body is larger than a request should be.
    #[error("the body is larger than 4 MiB")]
    TooLarge,
    /// The body does not end.
    #[error("the body took longer than 30 seconds")]
    TooSlow,
}

impl Refusal {
    /// A stable code for logs and metrics.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Missing => "token_missing",
            Self::Malformed => "authorization_malformed",
            Self::Doubled(_) => "header_doubled",
            Self::InQuery => "token_in_query",
            Self::TooLong => "token_too_long",
            Self::Token(error) => reason_of(error),
            Self::Opaque => "token_opaque",
            Self::Inactive => "token_inactive",
            Self::Revoked => "token_revoked",
            Self::KeyWithdrawn => "token_key_withdrawn",
            Self::RevocationsUnknown => "revocations_unknown",
            Self::NoKeys => "keys_unavailable",
            Self::Unreachable => "introspection_unavailable",
            Self::InsufficientScope(_) => "scope_insufficient",
            Self::BoundAsBearer => "token_bound_as_bearer",
            Self::Unbound => "token_unbound",
            Self::NoProof => "proof_missing",
            Self::Proof(_) => "proof_refused",
            Self::OtherKey => "proof_of_other_key",
            Self::ProofReplayed => "proof_replayed",
            Self::NonceDue => "proof_nonce_due",
            Self::ProofsExhausted => "proofs_exhausted",
            Self::TooManyProofs => "proofs_too_many",
            Self::TooManyRequests => "requests_too_many",
            Self::TooManyStreams(_) => "streams_too_many",
            Self::ForeignHost => "host_foreign",
            Self::ForeignOrigin => "origin_foreign",
            Self::Unreadable => "body_unreadable",
            Self::InvalidMessage { code: -32020, .. } => "header_mismatch",
            Self::InvalidMessage { .. } => "params_invalid",
            Self::Method => "method_not_allowed",
            Self::TooLarge => "body_too_large",
            Self::TooSlow => "body_too_slow",
        }
    }
}

fn reason_of(error: &VerifyError) -> &'static str {
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
