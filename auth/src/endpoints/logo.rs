//! `GET /logo.<hash>.<type>`
//!
//! The operator's logo, where one is configured. Its name changes with its content, so it is
//! cached without limit.

use axum::{
    extract::State,
    http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    response::{IntoResponse, Response},
};

use crate::{error_response::PageError, oauth::OAuthError, state::AppState};

/// The picture. Opened by itself, an SVG file may run nothing.
pub(crate) async fn get(State(state): State<AppState>) -> Result<Response, PageError> {
    let logo = state.logo.ok_or_else(OAuthError::not_found)?;
    let headers = [
        (CONTENT_TYPE, logo.media_type),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ];
    Ok((headers, logo.bytes.clone()).into_response())
}
