//! The request id: chosen here, or by a proxy that the settings trust. One that a stranger chose
//! could be that of another request, and lead an operator to the wrong story.

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue},
};
use uuid::Uuid;

pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id of a proxy, in bytes.
const MAX_ID_LENGTH: usize = 64;

/// Sets the request's id: the one a trusted proxy gave it, if it is plain, or else a fresh one.
pub(super) fn assign(request: &mut Request, is_proxy_trusted: bool) -> HeaderValue {
    let headers = request.headers_mut();
    let given = headers.get(X_REQUEST_ID).filter(|id| is_proxy_trusted && is_plain(id)).cloned();
    let id = given.unwrap_or_else(fresh);
    headers.insert(X_REQUEST_ID, id.clone());
    id
}

fn fresh() -> HeaderValue {
    let mut buffer = Uuid::encode_buffer();
    let id = Uuid::new_v4().hyphenated().encode_lower(&mut buffer);
    HeaderValue::from_str(id).unwrap_or(HeaderValue::from_static("-"))
}

/// The id as text.
pub(super) fn shown(id: &HeaderValue) -> &str {
    id.to_str().unwrap_or("-")
}

/// The id of a request, once it has one.
pub(super) fn of(request: &Request) -> String {
    request.headers().get(X_REQUEST_ID).map_or("-", shown).to_owned()
}

/// What an id is in a log line, a header and a page alike: a short word.
fn is_plain(id: &HeaderValue) -> bool {
    (1..=MAX_ID_LENGTH).contains(&id.len())
        && id.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}
