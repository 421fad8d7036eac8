//! `GET /style.<hash>.css`
//!
//! The stylesheet of every page. Its name changes with its content, so it is cached for ever.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};

/// The stylesheet.
pub async fn get() -> ([(axum::http::HeaderName, &'static str); 2], &'static str) {
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, web::STYLE)
}
