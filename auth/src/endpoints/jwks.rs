//! `GET /jwks`
//!
//! The public keys that tokens are signed with: next, current and previous (RFC 7517 §5).

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use keys::KeySet;

use crate::{oauth::secret, state::AppState};

/// Seconds that verifiers may keep the set. A key is published at least this long before it signs.
pub const MAX_AGE: i64 = 300;

/// The key set, or `304` for a verifier that has it already.
pub async fn get(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let set = state.keys.key_set(state.clock.now());
    let tag = entity_tag(&set);
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| *known == tag);
    let mut response = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => Json(set).into_response(),
    };
    let caching = HeaderValue::from_str(&format!("public, max-age={MAX_AGE}"));
    if let Ok(caching) = caching {
        response.headers_mut().insert(header::CACHE_CONTROL, caching);
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// Thumbprints name keys for ever, so the list of them names the set.
fn entity_tag(set: &KeySet) -> String {
    let kids: Vec<&str> = set.keys().iter().map(|key| key.kid.as_str()).collect();
    format!("\"{}\"", secret::hash(&kids.join(" ")))
}
