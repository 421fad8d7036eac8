//! `POST /sign-in/{provider}/link`
//!
//! A person who is signed in says that they are also somebody at another upstream. Only this act
//! links: two identities with the same e-mail address stay two people until then. A link lets
//! somebody in for good, so it asks for a sign-in of a moment ago.

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use axum_extra::extract::CookieJar;

use super::{
    pending::{self, Departure},
    upstream,
};
use crate::{
    error_response::{PageError, see_other},
    extract::{continue_to::ContinueTo, form, signed_in::MaybeSignedIn, visitor::Visitor},
    oauth::error::{ErrorCode, OAuthError, RefusalKind},
    state::AppState,
};

/// Begins the sign-in at the other upstream, for the session that asks.
pub async fn post(
    State(state): State<AppState>,
    Path(provider): Path<String>,
    (MaybeSignedIn(signed_in), visitor): (MaybeSignedIn, Visitor),
    jar: CookieJar,
    request: Request,
) -> Result<Response, PageError> {
    let (_, form) = form::read(request).await?;
    let continue_to = ContinueTo::parse(form.optional("continue")?)?;
    let upstream = upstream(&state, &provider)?;
    let person = signed_in?.ok_or_else(stale)?;
    if !person.made(&state, form.optional("csrf")?.unwrap_or_default()) {
        return Err(stale().into());
    }
    if !person.is_fresh(state.clock.now()) {
        return Ok(see_other("/sign-in?continue=/account%23identities"));
    }
    let link_to = Some(person.session.token_hash);
    let departure = Departure { visitor: &visitor, upstream, continue_to: &continue_to, link_to };
    Ok(pending::begin(&state, &jar, departure).await?)
}

fn stale() -> OAuthError {
    OAuthError::new(
        ErrorCode::AccessDenied,
        "link_stale",
        "This page is too old, or you are no longer signed in. Sign in and try again.",
    )
    .kind(RefusalKind::Expired)
}
