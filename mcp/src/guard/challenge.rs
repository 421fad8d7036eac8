//! The answer to a request that is not let through (RFC 6750 §3, RFC 9728 §5.1).

use axum::{
    Json,
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::error::BearerError;

/// What every challenge of this resource says.
#[derive(Clone, Debug)]
pub(super) struct Challenge {
    /// Where the metadata stands.
    pub(super) resource_metadata: String,
    /// The basic scopes.
    pub(super) scopes: Vec<String>,
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
            _ => json!({"error": code(error), "error_description": error.to_string()}),
        };
        let mut response = (status, [(CACHE_CONTROL, "no-store")], Json(body)).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
        } else if asks_for_a_token(error)
            && let Ok(value) = HeaderValue::from_str(&self.header(error))
        {
            headers.insert(WWW_AUTHENTICATE, value);
        }
        response
    }

    /// The challenge. Without credentials there is no `error`: nothing was wrong yet.
    fn header(&self, error: &BearerError) -> String {
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
        format!("Bearer {}", parameters.join(", "))
    }
}

/// Another token does not help a request that comes from the wrong place or cannot be read.
fn asks_for_a_token(error: &BearerError) -> bool {
    !matches!(
        error,
        BearerError::ForeignHost
            | BearerError::ForeignOrigin
            | BearerError::Unreadable
            | BearerError::TooLarge
    )
}

fn status(error: &BearerError) -> StatusCode {
    match error {
        BearerError::Malformed
        | BearerError::Doubled(_)
        | BearerError::InQuery
        | BearerError::Unreadable => StatusCode::BAD_REQUEST,
        BearerError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        BearerError::InsufficientScope(_)
        | BearerError::ForeignHost
        | BearerError::ForeignOrigin => StatusCode::FORBIDDEN,
        BearerError::NoKeys | BearerError::Unreachable | BearerError::RevocationsUnknown => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        BearerError::Missing
        | BearerError::TooLong
        | BearerError::Refused(_)
        | BearerError::Opaque
        | BearerError::Revoked
        | BearerError::Inactive => StatusCode::UNAUTHORIZED,
    }
}

fn code(error: &BearerError) -> &'static str {
    match status(error) {
        _ if !asks_for_a_token(error) => "invalid_request",
        StatusCode::BAD_REQUEST => "invalid_request",
        StatusCode::FORBIDDEN => "insufficient_scope",
        StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
        _ => "invalid_token",
    }
}
