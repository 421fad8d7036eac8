//! `POST /sign-in/{provider}`
//!
//! Sends the browser to an upstream, to prove there who the person is.

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use axum_extra::extract::CookieJar;

use super::{
    pending::{self, Departure},
    upstream,
};
use crate::{
    error_response::PageError,
    extract::{continue_to::ContinueTo, form, visitor::Visitor},
    state::AppState,
};

/// Begins the sign-in.
pub async fn post(
    State(state): State<AppState>,
    Path(provider): Path<String>,
    (visitor, jar): (Visitor, CookieJar),
    request: Request,
) -> Result<Response, PageError> {
    let (_, form) = form::read(request).await?;
    let continue_to = ContinueTo::parse(form.optional("continue")?)?;
    let upstream = upstream(&state, &provider)?;
    let departure =
        Departure { visitor: &visitor, upstream, continue_to: &continue_to, link_to: None };
    Ok(pending::begin(&state, &jar, departure).await?)
}
