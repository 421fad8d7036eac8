//! `GET /style.<hash>.css`
//!
//! The stylesheet of every page. Its name changes with its content, so it is cached without limit.

use axum::{
    extract::State,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::{IntoResponse, Response},
};

use crate::state::AppState;

/// The stylesheet, in the operator's colour.
pub(crate) async fn get(State(state): State<AppState>) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, state.brand.stylesheet().to_owned()).into_response()
}
