//! `POST /sign-out`
//!
//! Ends the browser's session. Programs keep what they were granted.

use axum::{
    extract::State,
    response::{Html, IntoResponse, Response},
};
use axum_extra::extract::CookieJar;
use web::{Frame, error::ErrorKind, signed_out::SignedOutPage};

use super::sign_in::continue_to::ContinueTo;
use crate::{
    cookies::CookieName,
    error_response::PageError,
    extract::{Form, SignedIn, Visitor},
    state::AppState,
    storage::{EventKind, StorageError, security_events, sessions},
};

/// Signs out and says so. Signing out twice is no error.
pub(crate) async fn post(
    State(state): State<AppState>,
    signed_in: Option<SignedIn>,
    visitor: Visitor,
    frame: Frame,
    Form(form): Form,
) -> Result<Response, PageError> {
    let continue_to = match form.optional("continue")? {
        Some(path) => Some(ContinueTo::parse(Some(path))?.as_str().to_owned()),
        None => None,
    };
    if let Some(person) = signed_in {
        person.verify_csrf(&state, &form, stale())?;
        end_session(&state, &person, &visitor).await?;
    }
    let jar = CookieJar::new().add(CookieName::Session.expired_cookie(&state.config));
    let page = SignedOutPage { continue_to, onward: None };
    Ok((jar, Html(page.render(&frame))).into_response())
}

/// Ends the person's session, wherever that is asked for.
pub(super) async fn end_session(
    state: &AppState,
    person: &SignedIn,
    visitor: &Visitor,
) -> Result<(), StorageError> {
    let event = visitor.event(person.user().id, EventKind::SignedOut, "", state.clock.now());
    let transaction = state.db.begin().await?;
    sessions::close(&transaction, &person.session.token_hash).await?;
    security_events::record(&transaction, event).await?;
    transaction.commit().await
}

/// The form was not made by this session.
pub(super) fn stale() -> PageError {
    PageError::new(
        ErrorKind::Expired,
        "sign_out_stale",
        "This page is too old. Go back, load it again and sign out from there.",
    )
}
