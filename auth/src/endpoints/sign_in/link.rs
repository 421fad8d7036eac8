//! `POST /sign-in/{provider}/link`
//!
//! A person who is signed in says that they are also somebody at another upstream. Only this act
//! links: two identities with the same e-mail address stay two people until then. A link lets
//! somebody in for good, so it asks for a sign-in of a moment ago.

use axum::{extract::State, response::Response};
use web::error::ErrorKind;

use super::pending::UpstreamSignIn;
use crate::{
    error_response::{PageError, see_other},
    extract::SignedIn,
    state::AppState,
};

/// Begins the sign-in at the other upstream, for the session that asks.
pub(crate) async fn post(
    State(state): State<AppState>,
    signed_in: Option<SignedIn>,
    sign_in: UpstreamSignIn,
) -> Result<Response, PageError> {
    let person = signed_in.ok_or_else(stale)?;
    person.verify_csrf(&state, &sign_in.form, stale())?;
    if !person.is_fresh(state.clock.now()) {
        return Ok(see_other("/sign-in?continue=/account%23identities"));
    }
    sign_in.begin(&state, Some(person.session.token_hash)).await
}

fn stale() -> PageError {
    PageError::new(
        ErrorKind::Expired,
        "link_stale",
        "This page is too old, or you are no longer signed in. Sign in and try again.",
    )
}
