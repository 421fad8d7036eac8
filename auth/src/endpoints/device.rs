//! `GET /device` and `POST /device`
//!
//! A person connects a device without a browser: they type the code that it shows, see who asks
//! and from where, and allow or deny it (RFC 8628 §3.3). Opening the address changes nothing, even
//! where it carries the code; a code is claimed by a form of ours alone.

mod answer;
mod attempts;
mod claim;
mod question;

use axum::{extract::State, response::Response};
use web::{Frame, error::ErrorKind};

use crate::{
    error_response::{PageError, see_other},
    extract::{Form, Query, SignedIn, Visitor},
    oauth::UserCode,
    state::AppState,
    storage::{StorageError, device_codes},
};

/// Asks for the code. One in the address is put into the field, and still has to be sent.
pub(crate) async fn get(
    State(state): State<AppState>,
    signed_in: Option<SignedIn>,
    frame: Frame,
    Query(parameters): Query,
) -> Result<Response, PageError> {
    let given = parameters.optional("user_code")?.and_then(UserCode::parse);
    let user_code = given.map(|code| code.shown()).unwrap_or_default();
    match signed_in {
        Some(person) => Ok(claim::ask_for_code(&state, &person, &frame, user_code, None)),
        None if user_code.is_empty() => Ok(see_other("/sign-in?continue=/device")),
        None => Ok(see_other(&format!("/sign-in?continue=/device?user_code={user_code}"))),
    }
}

pub(crate) async fn post(
    State(state): State<AppState>,
    signed_in: Option<SignedIn>,
    visitor: Visitor,
    frame: Frame,
    Form(form): Form,
) -> Result<Response, PageError> {
    let person = signed_in.ok_or_else(stale)?;
    match form.optional("request")? {
        None => claim::claim(&state, &person, &visitor, &frame, &form).await,
        Some(_) => answer::decide(&state, &person, &visitor, &frame, &form).await,
    }
}

/// The device's request that waits for this code.
async fn find(
    state: &AppState,
    user_code: &str,
) -> Result<Option<device_codes::Model>, StorageError> {
    let db = state.db.connection();
    let now = state.clock.now();
    device_codes::find_waiting(db, user_code, now).await
}

fn stale() -> PageError {
    PageError::new(
        ErrorKind::Expired,
        "device_stale",
        "This page is too old, or the code was answered already. Enter the code again.",
    )
}
