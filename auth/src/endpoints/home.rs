//! `GET /`
//!
//! What a person sees who comes here without a program.

use axum::{extract::State, response::Html};
use web::{Frame, home::HomePage};

use crate::{
    error_response::PageError, extract::signed_in::MaybeSignedIn, presentation, state::AppState,
};

/// The page, with who is signed in.
pub async fn get(
    State(state): State<AppState>,
    MaybeSignedIn(signed_in): MaybeSignedIn,
    frame: Frame,
) -> Result<Html<String>, PageError> {
    let signed_in = signed_in?;
    let page = HomePage {
        person: signed_in.as_ref().map(presentation::person),
        csrf: signed_in.as_ref().map(|person| person.csrf(&state)).unwrap_or_default(),
        issuer: state.config.issuer.clone(),
    };
    Ok(Html(page.render(&frame)))
}
