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

use crate::{bearer::Scheme, possession::ALGORITHMS, refusal::Refusal};

/// The JSON-RPC code for a caller who has too much under way: one of those that a server may choose
/// (JSON-RPC 2.0 §5.1).
const TOO_MANY: i32 = -32000;
/// The JSON-RPC code for parameters of a wrong type.
const INVALID_PARAMS: i32 = rmcp::model::ErrorCode::INVALID_PARAMS.0;

/// What every challenge of this resource says.
#[derive(Clone, Debug)]
pub(crate) struct Challenge {
    /// Where the metadata stands.
    pub(crate) resource_metadata: String,
    /// The basic scopes.
    pub(crate) scopes: Vec<String>,
    /// How the request presents its token: the answer speaks of the same scheme.
    pub(crate) scheme: Scheme,
    /// Whether tokens must be bound.
    pub(crate) bound_only: bool,
    /// The nonce for the next proof, if one is asked for.
    pub(crate) nonce: Option<String>,
}

impl Challenge {
    /// Refuses, with the status and the parameters that tell a client what to do next.
    pub(crate) fn refuse(&self, error: &Refusal) -> Response {
        let status = status(error);
        tracing::info!(reason = error.reason(), status = status.as_u16(), "refused");
        let body = match error {
            // What a JSON-RPC client understands (JSON-RPC 2.0 §5.1).
            Refusal::Unreadable => {
                json!({"jsonrpc": "2.0", "error": {"code": -32700, "message": error.to_string()}})
            }
            Refusal::TooManyStreams(Some(id)) => json!({"jsonrpc": "2.0", "id": id,
                "error": {"code": TOO_MANY, "message": error.to_string()}}),
            _ if status == StatusCode::TOO_MANY_REQUESTS => json!({"jsonrpc": "2.0",
                "error": {"code": TOO_MANY, "message": error.to_string()}}),
            Refusal::InvalidMessage { code, id: Some(id), why } => {
                json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": why}})
            }
            Refusal::InvalidMessage { code, id: None, why } => {
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
    pub(crate) fn add_nonce(&self, headers: &mut HeaderMap) {
        let nonce = self.nonce.as_deref().and_then(|nonce| HeaderValue::from_str(nonce).ok());
        if let Some(nonce) = nonce.filter(|_| self.scheme == Scheme::Dpop) {
            headers.insert("dpop-nonce", nonce);
        }
    }

    /// One challenge for each scheme that may be tried. Bearer is the first: some clients read no
    /// further. Whoever uses DPoP is answered in DPoP alone (RFC 9449 §7.1).
    fn challenges(&self, error: &Refusal) -> Vec<String> {
        let parameters = self.parameters(error);
        let algorithms = format!("algs=\"{}\"", ALGORITHMS.join(" "));
        let for_dpop = || format!("DPoP {}, {algorithms}", parameters.join(", "));
        match self.scheme {
            _ if self.bound_only || *error == Refusal::BoundAsBearer => vec![for_dpop()],
            Scheme::Dpop => vec![for_dpop()],
            Scheme::Bearer => {
                vec![format!("Bearer {}", parameters.join(", ")), format!("DPoP {algorithms}")]
            }
        }
    }

    /// The parameters. Without credentials there is no `error`: nothing was wrong yet.
    fn parameters(&self, error: &Refusal) -> Vec<String> {
        let mut parameters = Vec::new();
        if *error != Refusal::Missing {
            parameters.push(format!("error=\"{}\"", code(error)));
            parameters.push(format!("error_description=\"{error}\""));
        }
        let scopes = match error {
            Refusal::InsufficientScope(needed) => needed.join(" "),
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
fn asks_for_a_token(error: &Refusal) -> bool {
    !matches!(
        error,
        Refusal::ForeignHost
            | Refusal::ForeignOrigin
            | Refusal::Unreadable
            | Refusal::InvalidMessage { .. }
            | Refusal::Method
            | Refusal::TooLarge
            | Refusal::TooSlow
            | Refusal::TooManyProofs
            | Refusal::TooManyRequests
            | Refusal::TooManyStreams(_)
    )
}

fn status(error: &Refusal) -> StatusCode {
    match error {
        Refusal::Malformed | Refusal::Doubled(_) | Refusal::InQuery | Refusal::Unreadable => {
            StatusCode::BAD_REQUEST
        }
        // In band, as the server itself would answer: some clients take any other status for a lost
        // connection and never settle the request.
        Refusal::InvalidMessage { code: INVALID_PARAMS, id: Some(_), .. } => StatusCode::OK,
        Refusal::InvalidMessage { .. } => StatusCode::BAD_REQUEST,
        Refusal::Method => StatusCode::METHOD_NOT_ALLOWED,
        Refusal::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::TooSlow => StatusCode::REQUEST_TIMEOUT,
        Refusal::TooManyProofs | Refusal::TooManyRequests | Refusal::TooManyStreams(_) => {
            StatusCode::TOO_MANY_REQUESTS
        }
        Refusal::InsufficientScope(_) | Refusal::ForeignHost | Refusal::ForeignOrigin => {
            StatusCode::FORBIDDEN
        }
        Refusal::NoKeys
        | Refusal::Unreachable
        | Refusal::RevocationsUnknown
        | Refusal::ProofsExhausted => StatusCode::SERVICE_UNAVAILABLE,
        Refusal::Missing
        | Refusal::TooLong
        | Refusal::Token(_)
        | Refusal::Opaque
        | Refusal::Revoked
        | Refusal::KeyWithdrawn
        | Refusal::Inactive
        | Refusal::BoundAsBearer
        | Refusal::Unbound
        | Refusal::NoProof
        | Refusal::Proof(_)
        | Refusal::OtherKey
        | Refusal::ProofReplayed
        | Refusal::NonceDue => StatusCode::UNAUTHORIZED,
    }
}

fn code(error: &Refusal) -> &'static str {
    match error {
        Refusal::NoProof | Refusal::Proof(_) | Refusal::ProofReplayed => {
            return "invalid_dpop_proof";
        }
        Refusal::NonceDue => return "use_dpop_nonce",
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
