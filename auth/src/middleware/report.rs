//! Logs each refusal once, with the request's id.

use crate::oauth::{ErrorCode, OAuthError};

pub(super) fn log(error: &OAuthError, path: &str, request_id: &str) {
    let code = error.code.as_str();
    let reason = error.reason;
    let description = &*error.description;
    let cause = error.cause.as_ref().map(|cause| tracing::field::display(cause.to_string()));
    match error.code {
        ErrorCode::ServerError | ErrorCode::TemporarilyUnavailable => {
            tracing::error!(code, reason, description, path, request_id, cause, "refused");
        }
        _ => tracing::info!(code, reason, description, path, request_id, cause, "refused"),
    }
}
