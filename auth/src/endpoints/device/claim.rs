//! The first step: a person types the code that their device shows.

use axum::response::Response;
use web::{
    Frame,
    device::{DeviceCodePage, DeviceNotice},
    error::ErrorKind,
};

use super::{attempts, find, question, stale};
use crate::{
    error_response::PageError,
    extract::{SignedIn, Visitor},
    oauth::{OAuthError, Parameters, UserCode},
    presentation,
    state::AppState,
};

/// Most characters of a wrong code that are shown again.
const MAX_SHOWN_CODE: usize = 32;

/// The page with the field for the code, and what is said of the code before.
pub(super) fn ask_for_code(
    state: &AppState,
    person: &SignedIn,
    frame: &Frame,
    user_code: String,
    notice: Option<DeviceNotice>,
) -> Response {
    let page = DeviceCodePage { user_code, notice, csrf: person.csrf(state) };
    presentation::html(page.render(frame))
}

/// Looks up the code that was typed, and asks what to answer. Attempts are limited.
pub(super) async fn claim(
    state: &AppState,
    person: &SignedIn,
    visitor: &Visitor,
    frame: &Frame,
    form: &Parameters,
) -> Result<Response, PageError> {
    person.verify_csrf(state, form, stale())?;
    let typed = form.required("user_code")?;
    if let Some(wait) = attempts::count(state, person, visitor).await? {
        let notice = Some(DeviceNotice::TooMany);
        let page = ask_for_code(state, person, frame, String::new(), notice);
        return Ok(too_many().retry_after(wait).on(page));
    }
    let waiting = match UserCode::parse(typed) {
        Some(code) => find(state, code.as_str()).await?,
        None => None,
    };
    if let Some(waiting) = waiting {
        return question::ask(state, person, frame, waiting, false).await;
    }
    attempts::count_wrong(state).await?;
    let shown = typed.chars().take(MAX_SHOWN_CODE).collect();
    let page = ask_for_code(state, person, frame, shown, Some(DeviceNotice::Unknown));
    let unknown = OAuthError::invalid_request(
        "device_code_unknown",
        "No device waits for this code. Check it, or get a new one.",
    );
    Ok(PageError::from(unknown).on(page))
}

fn too_many() -> PageError {
    PageError::new(
        ErrorKind::TooMany,
        "too_many_attempts",
        "Too many codes were typed in a short time. Wait, then try again.",
    )
}
