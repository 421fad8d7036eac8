//! `GET /jwks`
//!
//! The public keys that tokens are signed with: next, current and previous (RFC 7517 §5).

use axum::{extract::State, http::HeaderMap, response::Response};

use crate::{
    documents::{self, Document},
    state::AppState,
};

/// The key set, or `304` for a verifier that has it already. It is read from the database and shared
/// only for a moment: verifiers cache it, so it must contain a key that another replica has made,
/// even if this replica's background poll is late.
pub(crate) async fn get(State(state): State<AppState>, headers: HeaderMap) -> Response {
    let now = state.clock.now();
    state.documents.key_set.get(now, render(&state, now)).await.respond(&headers)
}

async fn render(state: &AppState, now: i64) -> Document {
    if let Err(error) = state.keys.catch_up(&state.db).await {
        tracing::warn!(cause = %error, "the key set may be out of date");
    }
    let max_age = state.config.keys.jwks_max_age;
    documents::json(&state.keys.key_set(now)).cached(&format!("public, max-age={max_age}"))
}
