//! `GET /style.<hash>.css`
//!
//! The stylesheet of every page. Its name changes with its content, so it is cached without limit.

use axum::{extract::State, http::HeaderMap, response::Response};

use crate::state::AppState;

/// The stylesheet, in the operator's colour.
pub(crate) async fn get(State(state): State<AppState>, headers: HeaderMap) -> Response {
    state.documents.stylesheet.respond(&headers)
}
