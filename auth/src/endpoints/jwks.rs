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

/// The key set, or `304` for a verifier that has it already. What is stored is looked at for each
/// answer: verifiers keep it, so a key that another replica has just made must not be missing.
pub(crate) async fn get(State(state): State<AppState>, headers: HeaderMap) -> Response {
    if let Err(error) = state.keys.catch_up(&state.db).await {
        tracing::warn!(cause = %error, "the key set may be out of date");
    }
    let set = state.keys.key_set(state.clock.now());
    let tag = entity_tag(&set);
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| *known == tag);
    let mut response =
        if known { StatusCode::NOT_MODIFIED.into_response() } else { Json(set).into_response() };
    let max_age = state.config.keys.jwks_max_age;
    let caching = HeaderValue::from_str(&format!("public, max-age={max_age}"));
    if let Ok(caching) = caching {
        response.headers_mut().insert(header::CACHE_CONTROL, caching);
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// A thumbprint never names another key, so the list of them identifies the set.
fn entity_tag(set: &KeySet) -> String {
    let kids: Vec<&str> = set.keys().iter().map(|key| key.kid.as_str()).collect();
    format!("\"{}\"", secret::hash(&kids.join(" ")))
}
