//! What a caller is told when the upstream does not answer as it should.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use rmcp::{ErrorData, model::ErrorCode};
use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;

/// The code of an error that the gate answers with (JSON-RPC 2.0 §5.1, the range of servers).
const CODE: i32 = -32_000;
/// Seconds after which a caller should try again.
const RETRY: HeaderValue = HeaderValue::from_static("5");

/// The upstream did not answer as it should. The text is for the caller.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum Failure {
    #[error("the server behind the gate does not answer; try again in a moment")]
    Unreachable,
    #[error("the server behind the gate took too long to answer")]
    TooSlow,
    #[error(
        "the server behind the gate refuses the gate; its operator must set the token it wants"
    )]
    GateRefused,
    #[error("the server behind the gate is at another URL; its operator must correct it")]
    Moved,
    #[error("the server behind the gate has as many sessions as it may; try again later")]
    Busy,
    #[error("the gate could not say who calls; try again in a moment")]
    Unsigned,
}

#[derive(Deserialize)]
struct Identified {
    id: Option<Value>,
}

impl Failure {
    /// Answers the JSON-RPC message `body`, so that its client stops waiting.
    pub(crate) fn answer(self, body: &Bytes) -> Response {
        let (status, _) = self.delivery();
        let id = serde_json::from_slice(body).ok().and_then(|message: Identified| message.id);
        let mut response = (status, Json(self.message(id.as_ref()))).into_response();
        if matches!(self, Self::Unreachable | Self::Busy) {
            response.headers_mut().insert(RETRY_AFTER, RETRY);
        }
        response
    }

    /// The error that answers the request `id`.
    pub(crate) fn message(self, id: Option<&Value>) -> Value {
        let (_, reason) = self.delivery();
        tracing::warn!(reason, "the upstream failed");
        let data = json!({"reason": reason});
        let error = ErrorData::new(ErrorCode(CODE), self.to_string(), Some(data));
        json!({"jsonrpc": "2.0", "id": id, "error": error})
    }

    fn delivery(self) -> (StatusCode, &'static str) {
        match self {
            Self::Unreachable => (StatusCode::BAD_GATEWAY, "upstream_unreachable"),
            Self::TooSlow => (StatusCode::GATEWAY_TIMEOUT, "upstream_too_slow"),
            Self::GateRefused => (StatusCode::BAD_GATEWAY, "upstream_refuses_gate"),
            Self::Moved => (StatusCode::BAD_GATEWAY, "upstream_moved"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "upstream_busy"),
            Self::Unsigned => (StatusCode::INTERNAL_SERVER_ERROR, "identity_unsigned"),
        }
    }
}
