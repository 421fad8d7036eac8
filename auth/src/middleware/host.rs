//! Every request names this server once, in one way.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{error_response::JsonError, oauth::OAuthError, state::AppState};

/// Refuses a request whose `Host` header or request line could be read in two ways, or that is
/// written as if for a proxy and not for this server.
pub(crate) async fn require(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    match state.host_names.check(request.version(), request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => {
            let (reason, description) = error.refusal();
            JsonError(OAuthError::invalid_request(reason, description)).into_response()
        }
    }
}
