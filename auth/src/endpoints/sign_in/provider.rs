//! `POST /sign-in/{provider}`
//!
//! Sends the browser to an upstream, to prove there who the person is.

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use axum_extra::extract::CookieJar;

use super::{pending, upstream};
use crate::{
    error_response::PageError,
    extract::{continue_to::ContinueTo, form},
    state::AppState,
};

/// Begins the sign-in.
pub async fn post(
    State(state): State<AppState>,
    Path(provider): Path<String>,
    jar: CookieJar,
    request: Request,
) -> Result<Response, PageError> {
    let (_, form) = form::read(request).await?;
    let continue_to = ContinueTo::parse(form.optional("continue")?)?;
    let upstream = upstream(&state, &provider)?;
    Ok(pending::begin(&state, &jar, upstream, &continue_to, None).await?)
}
