//! The request id: chosen here, or by a proxy that the settings trust. One that a stranger chose
//! could be that of another request, and lead whoever looks for its story astray.

use axum::{
    extract::{Request, State},
    http::HeaderValue,
    middleware::Next,
    response::Response,
};

use crate::state::AppState;

/// The header that carries it.
pub const X_REQUEST_ID: &str = "x-request-id";
/// Longest id of a proxy, in bytes.
const LONGEST: usize = 64;

/// Drops an id that is not to be believed, so that a fresh one takes its place.
pub async fn distrust(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let is_trusted = state.config.trusted_proxies > 0;
    let headers = request.headers_mut();
    if !is_trusted || !headers.get(X_REQUEST_ID).is_some_and(is_plain) {
        headers.remove(X_REQUEST_ID);
    }
    next.run(request).await
}

/// What an id is in a log line, a header and a page alike: a short word.
fn is_plain(id: &HeaderValue) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    (1..=LONGEST).contains(&id.len()) && id.as_bytes().iter().all(is_plain)
}
