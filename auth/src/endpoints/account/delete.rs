//! `GET /account/delete` and `POST /account/delete`
//!
//! Deletes an account, after a confirmation and a fresh sign-in.

use axum::{
    extract::State,
    response::{Html, IntoResponse, Response},
};
use axum_extra::extract::CookieJar;
use web::{
    Frame,
    account::{AccountDeletedPage, DeleteAccountPage},
};

use crate::{
    cookies::CookieName,
    error_response::{PageError, see_other},
    extract::{AccountForm, SignedIn},
    presentation,
    state::AppState,
    storage::{EventKind, accounts, security_events::Model as Event},
};

/// Where a user goes who must sign in again first.
const SIGN_IN: &str = "/sign-in?continue=/account/delete";

/// Asks whether it is meant.
pub(crate) async fn get(
    State(state): State<AppState>,
    signed_in: Option<SignedIn>,
    frame: Frame,
) -> Result<Response, PageError> {
    match signed_in {
        Some(person) if person.is_fresh(state.clock.now()) => {
            Ok(ask(&state, &person, &frame, false))
        }
        _ => Ok(see_other(SIGN_IN)),
    }
}

/// Erases the account, and signs out every browser and every program.
pub(crate) async fn post(
    State(state): State<AppState>,
    frame: Frame,
    AccountForm { person, parameters, .. }: AccountForm,
) -> Result<Response, PageError> {
    if !person.is_fresh(state.clock.now()) {
        return Ok(see_other(SIGN_IN));
    }
    if parameters.optional("sure")? != Some("yes") {
        return Ok(ask(&state, &person, &frame, true));
    }
    // Who erases their own account leaves no trace of it.
    let event = Event::new(person.user().id, EventKind::AccountDeleted, state.clock.now());
    accounts::erase(&state.db, event, false).await?;
    let jar = CookieJar::new().add(CookieName::Session.expired_cookie(&state.config));
    Ok((jar, Html(AccountDeletedPage.render(&frame))).into_response())
}

fn ask(state: &AppState, person: &SignedIn, frame: &Frame, not_ticked: bool) -> Response {
    let csrf = person.csrf(state);
    let page = DeleteAccountPage { person: presentation::person(person), not_ticked, csrf };
    Html(page.render(frame)).into_response()
}
