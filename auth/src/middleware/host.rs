//! Every request names this server once, in one way.

use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};

use crate::{error_response::JsonError, oauth::OAuthError, state::AppState};

/// Refuses a request whose `Host` header or request line is ambiguous, or that is addressed to a
/// proxy instead of this server.
pub(super) fn refusal(state: &AppState, request: &Request) -> Option<Response> {
    let checked = state.host_names.check(request.version(), request.uri(), request.headers());
    let (reason, description) = checked.err()?.refusal();
    Some(JsonError(OAuthError::invalid_request(reason, description)).into_response())
}
