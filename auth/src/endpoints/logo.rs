//! `GET /logo.<hash>.<type>`
//!
//! The operator's logo, where one is configured. Its name changes with its content, so it is
//! cached without limit.

use axum::{extract::State, http::HeaderMap, response::Response};

use crate::{error_response::PageError, oauth::OAuthError, state::AppState};

pub(crate) async fn get(
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let logo = state.documents.logo.as_ref().ok_or_else(OAuthError::not_found)?;
    Ok(logo.document.respond(&headers))
}
