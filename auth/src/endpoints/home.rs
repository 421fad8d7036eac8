//! `GET /`
//!
//! What a person sees who comes here without a program.

use axum::{extract::State, response::Html};
use web::home::HomePage;

use crate::{error_response::PageError, extract::signed_in::MaybeSignedIn, state::AppState};

/// The page, with who is signed in.
pub async fn get(
    State(state): State<AppState>,
    MaybeSignedIn(signed_in): MaybeSignedIn,
) -> Result<Html<String>, PageError> {
    let signed_in = signed_in?;
    let page = HomePage {
        user_name: signed_in.as_ref().map(|person| person.shown_name()),
        csrf: signed_in.as_ref().map(|person| person.csrf(&state)),
        issuer: state.config.issuer.clone(),
    };
    Ok(Html(page.render()))
}
