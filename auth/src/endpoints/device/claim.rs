//! The first step: a person types the code that their device shows.

use axum::response::{Html, IntoResponse, Response};
use web::{
    Frame,
    device::{DeviceCodePage, DeviceNotice},
};

use super::{Visit, attempts, find, question, stale};
use crate::{
    error_response::{PageError, answered_with},
    extract::signed_in::SignedIn,
    oauth::{
        error::{ErrorCode, OAuthError, RefusalKind},
        parameters::Parameters,
        user_code::UserCode,
    },
    state::AppState,
};

/// Most characters of a wrong code that are shown again.
const SHOWN_AGAIN: usize = 32;

/// What stands in the field, and what is said of it.
#[derive(Default)]
pub(super) struct Entry {
    pub(super) user_code: String,
    pub(super) notice: Option<DeviceNotice>,
}

/// The page with the field.
pub(super) fn ask_for_code(
    state: &AppState,
    person: &SignedIn,
    frame: &Frame,
    entry: Entry,
) -> Response {
    let Entry { user_code, notice } = entry;
    let page = DeviceCodePage { user_code, notice, csrf: person.csrf(state) };
    Html(page.render(frame)).into_response()
}

/// Looks the typed code up, so many times a person, and asks what to answer.
pub(super) async fn claim(
    state: &AppState,
    visit: Visit<'_>,
    form: &Parameters,
) -> Result<Response, PageError> {
    let person = visit.answerer.person;
    if !person.made(state, form.optional("csrf")?.unwrap_or_default()) {
        return Err(stale().into());
    }
    let typed = form.required("user_code")?;
    if let Some(wait) = attempts::count(state, visit.answerer).await? {
        let entry = Entry { notice: Some(DeviceNotice::TooMany), ..Entry::default() };
        let page = ask_for_code(state, person, visit.frame, entry);
        return Ok(answered_with(page, too_many().retry_after(wait)));
    }
    let waiting = match UserCode::parse(typed) {
        Some(code) => find(state, code.as_str()).await?,
        None => None,
    };
    match waiting {
        Some(waiting) => question::ask(state, visit, waiting, false).await,
        None => {
            attempts::count_wrong(state).await?;
            let user_code = typed.chars().take(SHOWN_AGAIN).collect();
            let entry = Entry { user_code, notice: Some(DeviceNotice::Unknown) };
            Ok(answered_with(ask_for_code(state, person, visit.frame, entry), unknown()))
        }
    }
}

fn unknown() -> OAuthError {
    OAuthError::invalid_request(
        "device_code_unknown",
        "No device waits for this code. Check it, or get a new one.",
    )
}

fn too_many() -> OAuthError {
    OAuthError::new(
        ErrorCode::AccessDenied,
        "too_many_attempts",
        "Too many codes were typed in a short time. Wait, then try again.",
    )
    .kind(RefusalKind::TooMany)
}
