//! Logs each refusal once, with the request's id.

use axum::{extract::Request, middleware::Next, response::Response};

use super::request_id;
use crate::{
    error_response::Refusal,
    oauth::{ErrorCode, OAuthError},
    story,
};

/// A layer around all routes.
pub(crate) async fn log_refusals(request: Request, next: Next) -> Response {
    let request_id = request_id::of(&request);
    let path = story::shown_path(request.uri().path());
    let response = next.run(request).await;
    if let Some(Refusal(error)) = response.extensions().get() {
        log(error, &path, &request_id);
    }
    response
}

fn log(error: &OAuthError, path: &str, request_id: &str) {
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
