//! `GET /device` and `POST /device`
//!
//! A person connects a device without a browser: they type the code that it shows, see who asks
//! and from where, and allow or deny it (RFC 8628 §3.3). Opening the address changes nothing, even
//! where it carries the code; a code is claimed by a form of ours alone.

mod answer;
mod attempts;
mod claim;
mod question;

use axum::{
    extract::{RawQuery, Request, State},
    response::Response,
};
use web::Frame;

use self::{claim::Entry, question::PendingDevice};
use crate::{
    consent::answer::Answerer,
    error_response::{PageError, see_other},
    extract::{form, signed_in::MaybeSignedIn, visitor::Visitor},
    oauth::{
        error::{ErrorCode, OAuthError, RefusalKind},
        parameters::Parameters,
        user_code::UserCode,
    },
    state::AppState,
    storage::device_codes,
};

/// A person at the page, and how it is drawn for them.
#[derive(Clone, Copy)]
struct Visit<'a> {
    answerer: Answerer<'a>,
    frame: &'a Frame,
}

/// Asks for the code. One in the address is put into the field, and still has to be sent.
pub async fn get(
    State(state): State<AppState>,
    MaybeSignedIn(signed_in): MaybeSignedIn,
    frame: Frame,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes())?;
    let given = parameters.optional("user_code")?.and_then(UserCode::parse);
    let user_code = given.map(|code| code.shown()).unwrap_or_default();
    match signed_in? {
        Some(person) => {
            let entry = Entry { user_code, notice: None };
            Ok(claim::ask_for_code(&state, &person, &frame, entry))
        }
        None if user_code.is_empty() => Ok(see_other("/sign-in?continue=/device")),
        None => Ok(see_other(&format!("/sign-in?continue=/device?user_code={user_code}"))),
    }
}

/// Takes a code, and then the answer.
pub async fn post(
    State(state): State<AppState>,
    MaybeSignedIn(signed_in): MaybeSignedIn,
    visitor: Visitor,
    frame: Frame,
    request: Request,
) -> Result<Response, PageError> {
    let (_, form) = form::read(request).await?;
    let person = signed_in?.ok_or_else(stale)?;
    let answerer = Answerer { person: &person, visitor: &visitor };
    let visit = Visit { answerer, frame: &frame };
    match form.optional("request")? {
        None => claim::claim(&state, visit, &form).await,
        Some(sealed) => {
            let pending = PendingDevice::open(&state, &person, sealed)?;
            answer::decide(&state, visit, &form, &pending).await
        }
    }
}

/// The device's request that waits for this code.
async fn find(
    state: &AppState,
    user_code: &str,
) -> Result<Option<device_codes::Model>, OAuthError> {
    let (db, now) = (state.db.connection(), state.clock.now());
    Ok(device_codes::find_waiting(db, user_code, now).await?)
}

fn stale() -> OAuthError {
    OAuthError::new(
        ErrorCode::AccessDenied,
        "device_stale",
        "This page is too old, or the code was answered already. Enter the code again.",
    )
    .kind(RefusalKind::Expired)
}
