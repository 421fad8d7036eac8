//! The request id: chosen here, or by a proxy that the settings trust. One that a stranger chose
//! could be that of another request, and lead an operator to the wrong story.

use axum::{
    extract::{Request, State},
    http::HeaderValue,
    middleware::Next,
    response::Response,
};

use crate::state::AppState;

const X_REQUEST_ID: &str = "x-request-id";
/// Longest id of a proxy, in bytes.
const MAX_ID_LENGTH: usize = 64;

/// Drops an id that is not to be believed, so that a fresh one takes its place.
pub(crate) async fn distrust(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    let is_trusted = state.config.trusted_proxies > 0;
    let headers = request.headers_mut();
    if !is_trusted || !headers.get(X_REQUEST_ID).is_some_and(is_plain) {
        headers.remove(X_REQUEST_ID);
    }
    next.run(request).await
}

/// The id of a request, once it has one.
pub(crate) fn of(request: &Request) -> String {
    let id = request.headers().get(X_REQUEST_ID).and_then(|id| id.to_str().ok());
    id.unwrap_or("-").to_owned()
}

/// What an id is in a log line, a header and a page alike: a short word.
fn is_plain(id: &HeaderValue) -> bool {
    (1..=MAX_ID_LENGTH).contains(&id.len())
        && id.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}
