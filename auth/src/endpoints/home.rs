//! `GET /`
//!
//! What a person sees who comes here without a program.

use axum::{extract::State, response::Html};
use web::{Frame, home::HomePage};

use crate::{error_response::PageError, extract::SignedIn, presentation, state::AppState};

pub(crate) async fn get(
    State(state): State<AppState>,
    signed_in: Option<SignedIn>,
    frame: Frame,
) -> Result<Html<String>, PageError> {
    let page = HomePage {
        person: signed_in.as_ref().map(presentation::person),
        csrf: signed_in.as_ref().map(|person| person.csrf(&state)).unwrap_or_default(),
        issuer: state.config.issuer.clone(),
    };
    Ok(Html(page.render(&frame)))
}
