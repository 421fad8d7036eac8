//! The answer to a request that is not let through (RFC 6750 §3, RFC 9728 §5.1).

use axum::{
    Json,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ALLOW, CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{bearer::Scheme, error::BearerError, possession::ALGORITHMS};

/// The JSON-RPC code for a caller who has too much under way: one of those that a server may choose
/// (JSON-RPC 2.0 §5.1).
const TOO_MANY: i32 = -32000;
/// The JSON-RPC code for parameters of a wrong type.
const INVALID_PARAMS: i32 = rmcp::model::ErrorCode::INVALID_PARAMS.0;

/// What every challenge of this resource says.
#[derive(Clone, Debug)]
pub(super) struct Challenge {
    /// Where the metadata stands.
    pub(super) resource_metadata: String,
    /// The basic scopes.
    pub(super) scopes: Vec<String>,
    /// How the request presents its token: the answer speaks of the same scheme.
    pub(super) scheme: Scheme,
    /// Whether tokens must be bound.
    pub(super) bound_only: bool,
    /// The nonce for the next proof, if one is asked for.
    pub(super) nonce: Option<String>,
}

impl Challenge {
    /// Refuses, with the status and the parameters that tell a client what to do next.
    pub(super) fn refuse(&self, error: &BearerError) -> Response {
        let status = status(error);
        tracing::info!(reason = error.reason(), status = status.as_u16(), "refused");
        let body = match error {
            // What a JSON-RPC client understands (JSON-RPC 2.0 §5.1).
            BearerError::Unreadable => {
                json!({"jsonrpc": "2.0", "error": {"code": -32700, "message": error.to_string()}})
            }
            BearerError::TooManyStreams(Some(id)) => json!({"jsonrpc": "2.0", "id": id,
                "error": {"code": TOO_MANY, "message": error.to_string()}}),
            _ if status == StatusCode::TOO_MANY_REQUESTS => json!({"jsonrpc": "2.0",
                "error": {"code": TOO_MANY, "message": error.to_string()}}),
            BearerError::InvalidMessage { code, id: Some(id), why } => {
                json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": why}})
            }
            BearerError::InvalidMessage { code, id: None, why } => {
                json!({"jsonrpc": "2.0", "error": {"code": code, "message": why}})
            }
            _ => json!({"error": code(error), "error_description": error.to_string()}),
        };
        let mut response = (status, [(CACHE_CONTROL, "no-store")], Json(body)).into_response();
        let headers = response.headers_mut();
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
        } else if status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, HeaderValue::from_static("GET, POST, DELETE"));
        } else if asks_for_a_token(error) {
            let values = self.challenges(error).into_iter();
            for value in values.filter_map(|text| HeaderValue::from_str(&text).ok()) {
                headers.append(WWW_AUTHENTICATE, value);
            }
        }
        self.add_nonce(headers);
        response
    }

    /// Gives whoever sends proofs the nonce for the next one.
    pub(super) fn add_nonce(&self, headers: &mut HeaderMap) {
        let nonce = self.nonce.as_deref().and_then(|nonce| HeaderValue::from_str(nonce).ok());
        if let Some(nonce) = nonce.filter(|_| self.scheme == Scheme::Dpop) {
            headers.insert("dpop-nonce", nonce);
        }
    }

    /// One challenge for each scheme that may be tried. Bearer is the first: some clients read no
    /// further. Whoever uses DPoP is answered in DPoP alone (RFC 9449 §7.1).
    fn challenges(&self, error: &BearerError) -> Vec<String> {
        let parameters = self.parameters(error);
        let algorithms = format!("algs=\"{}\"", ALGORITHMS.join(" "));
        let for_dpop = || format!("DPoP {}, {algorithms}", parameters.join(", "));
        match self.scheme {
            _ if self.bound_only || *error == BearerError::BoundAsBearer => vec![for_dpop()],
            Scheme::Dpop => vec![for_dpop()],
            Scheme::Bearer => {
                vec![format!("Bearer {}", parameters.join(", ")), format!("DPoP {algorithms}")]
            }
        }
    }

    /// The parameters. Without credentials there is no `error`: nothing was wrong yet.
    fn parameters(&self, error: &BearerError) -> Vec<String> {
        let mut parameters = Vec::new();
        if *error != BearerError::Missing {
            parameters.push(format!("error=\"{}\"", code(error)));
            parameters.push(format!("error_description=\"{error}\""));
        }
        let scopes = match error {
            BearerError::InsufficientScope(needed) => needed.join(" "),
            _ => self.scopes.join(" "),
        };
        if !scopes.is_empty() {
            parameters.push(format!("scope=\"{scopes}\""));
        }
        parameters.push(format!("resource_metadata=\"{}\"", self.resource_metadata));
        parameters
    }
}

/// Another token does not help a request that comes from the wrong place or cannot be read.
fn asks_for_a_token(error: &BearerError) -> bool {
    !matches!(
        error,
        BearerError::ForeignHost
            | BearerError::ForeignOrigin
            | BearerError::Unreadable
            | BearerError::InvalidMessage { .. }
            | BearerError::Method
            | BearerError::TooLarge
            | BearerError::TooSlow
            | BearerError::TooManyProofs
            | BearerError::TooManyRequests
            | BearerError::TooManyStreams(_)
    )
}

fn status(error: &BearerError) -> StatusCode {
    match error {
        BearerError::Malformed
        | BearerError::Doubled(_)
        | BearerError::InQuery
        | BearerError::Unreadable => StatusCode::BAD_REQUEST,
        // In band, as the server itself would answer: some clients take any other status for a lost
        // connection and never settle the request.
        BearerError::InvalidMessage { code: INVALID_PARAMS, id: Some(_), .. } => StatusCode::OK,
        BearerError::InvalidMessage { .. } => StatusCode::BAD_REQUEST,
        BearerError::Method => StatusCode::METHOD_NOT_ALLOWED,
        BearerError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        BearerError::TooSlow => StatusCode::REQUEST_TIMEOUT,
        BearerError::TooManyProofs
        | BearerError::TooManyRequests
        | BearerError::TooManyStreams(_) => StatusCode::TOO_MANY_REQUESTS,
        BearerError::InsufficientScope(_)
        | BearerError::ForeignHost
        | BearerError::ForeignOrigin => StatusCode::FORBIDDEN,
        BearerError::NoKeys
        | BearerError::Unreachable
        | BearerError::RevocationsUnknown
        | BearerError::ProofsExhausted => StatusCode::SERVICE_UNAVAILABLE,
        BearerError::Missing
        | BearerError::TooLong
        | BearerError::Refused(_)
        | BearerError::Opaque
        | BearerError::Revoked
        | BearerError::KeyWithdrawn
        | BearerError::Inactive
        | BearerError::BoundAsBearer
        | BearerError::Unbound
        | BearerError::NoProof
        | BearerError::Proof(_)
        | BearerError::OtherKey
        | BearerError::ProofReplayed
        | BearerError::NonceDue => StatusCode::UNAUTHORIZED,
    }
}

fn code(error: &BearerError) -> &'static str {
    match error {
        BearerError::NoProof | BearerError::Proof(_) | BearerError::ProofReplayed => {
            return "invalid_dpop_proof";
        }
        BearerError::NonceDue => return "use_dpop_nonce",
        _ => {}
    }
    match status(error) {
        _ if !asks_for_a_token(error) => "invalid_request",
        StatusCode::BAD_REQUEST => "invalid_request",
        StatusCode::FORBIDDEN => "insufficient_scope",
        StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
        _ => "invalid_token",
    }
}
