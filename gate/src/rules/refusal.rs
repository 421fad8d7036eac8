//! What a caller is told when a rule keeps a request from the server.

use axum::{
    Json,
    http::{StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use guard::NeedsScopes;
use rmcp::{ErrorData, model::ErrorCode};
use serde_json::{Value, json};
use thiserror::Error;

/// The code of an error that the gate answers with (JSON-RPC 2.0 §5.1, the range of servers).
const CODE: ErrorCode = ErrorCode(-32_000);

/// A rule keeps a request from the server. The text is for the caller.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(super) enum Refusal {
    #[error("the gate does not know who calls")]
    NotGuarded,
    #[error("the body must be one JSON-RPC message")]
    Unreadable,
    /// The guard replaces this answer by its challenge for the scopes.
    #[error("the operation needs scopes that the token does not have")]
    Scopes(Vec<String>),
    #[error("this server has no such method")]
    Method,
    #[error("the arguments of this tool may take {0} bytes; send less")]
    Arguments(usize),
    #[error("too many calls in this minute; wait {0} seconds")]
    TooManyCalls(i64),
    #[error("too many of your calls are in progress; wait until some are answered")]
    TooManyAtOnce(i64),
    #[error("the server behind the gate sent an answer that the gate cannot check")]
    List,
}

impl Refusal {
    /// The answer to the request with this id.
    pub(super) fn answer(&self, id: &Value) -> Response {
        let (status, code, reason) = self.delivery();
        tracing::info!(reason, status = status.as_u16(), "refused");
        let error = ErrorData::new(code, self.to_string(), Some(json!({"reason": reason})));
        let message = json!({"jsonrpc": "2.0", "id": id, "error": error});
        let mut response = (status, Json(message)).into_response();
        response.extensions_mut().insert(Refused(reason));
        match self {
            Self::TooManyCalls(seconds) | Self::TooManyAtOnce(seconds) => {
                response.headers_mut().insert(RETRY_AFTER, (*seconds).into());
            }
            Self::Scopes(scopes) => {
                response.extensions_mut().insert(NeedsScopes(scopes.clone()));
            }
            _ => {}
        }
        response
    }

    fn delivery(&self) -> (StatusCode, ErrorCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::NotGuarded => (S::INTERNAL_SERVER_ERROR, CODE, "caller_missing"),
            Self::Unreadable => (S::BAD_REQUEST, ErrorCode::PARSE_ERROR, "body_unreadable"),
            Self::Scopes(_) => (S::FORBIDDEN, CODE, "scope_insufficient"),
            Self::Method => (S::OK, ErrorCode::METHOD_NOT_FOUND, "rule_method"),
            Self::Arguments(_) => (S::OK, ErrorCode::INVALID_PARAMS, "rule_arguments"),
            Self::TooManyCalls(_) => (S::TOO_MANY_REQUESTS, CODE, "calls_too_many"),
            Self::TooManyAtOnce(_) => (S::TOO_MANY_REQUESTS, CODE, "calls_at_once"),
            Self::List => (S::BAD_GATEWAY, CODE, "upstream_unreadable"),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.answer(&Value::Null)
    }
}

/// In the extensions of a response: why the gate refused the request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused(pub(crate) &'static str);
