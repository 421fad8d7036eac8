//! `POST /sign-out`
//!
//! Ends the browser's session. Programs keep what they were granted.

use axum::{
    extract::{Request, State},
    response::{Html, IntoResponse, Response},
};
use axum_extra::extract::CookieJar;
use web::{Frame, signed_out::SignedOutPage};

use crate::{
    error_response::PageError,
    extract::{
        continue_to::ContinueTo,
        form,
        signed_in::{MaybeSignedIn, SignedIn, gone},
        visitor::Visitor,
    },
    oauth::error::{ErrorCode, OAuthError, RefusalKind},
    state::AppState,
    storage::{
        StorageError,
        security_events::{self, EventKind},
        sessions,
    },
};

/// Signs out and says so. Signing out twice is no error.
pub async fn post(
    State(state): State<AppState>,
    MaybeSignedIn(signed_in): MaybeSignedIn,
    visitor: Visitor,
    frame: Frame,
    request: Request,
) -> Result<Response, PageError> {
    let (_, form) = form::read(request).await?;
    let continue_to = form.optional("continue")?.map(|path| ContinueTo::parse(Some(path)));
    let continue_to = continue_to.transpose()?;
    if let Some(person) = signed_in? {
        if !person.made(&state, form.optional("csrf")?.unwrap_or_default()) {
            return Err(stale().into());
        }
        end_session(&state, &person, &visitor).await?;
    }
    let jar = CookieJar::new().add(gone(&state.config));
    let page = SignedOutPage { continue_to: continue_to.map(String::from), onward: None };
    Ok((jar, Html(page.render(&frame))).into_response())
}

/// Ends the person's session, wherever that is asked for.
pub(super) async fn end_session(
    state: &AppState,
    person: &SignedIn,
    visitor: &Visitor,
) -> Result<(), StorageError> {
    let event = visitor.event(person.user.id, EventKind::SignedOut, "", state.clock.now());
    let transaction = state.db.begin().await?;
    sessions::close(&transaction, &person.session.token_hash).await?;
    security_events::record(&transaction, event).await?;
    transaction.commit().await
}

/// The form was not made by this session.
pub(super) fn stale() -> OAuthError {
    OAuthError::new(
        ErrorCode::AccessDenied,
        "sign_out_stale",
        "This page is too old. Go back, load it again and sign out from there.",
    )
    .kind(RefusalKind::Expired)
}
