//! `POST /account/sessions`
//!
//! Signs out another browser of the same person.

use axum::{
    extract::{Request, State},
    response::Response,
};
use uuid::Uuid;

use super::{failed, owner};
use crate::{
    error_response::{PageError, see_other},
    extract::{
        form,
        signed_in::{MaybeSignedIn, SignedIn},
        visitor::Visitor,
    },
    oauth::error::OAuthError,
    state::AppState,
    storage::{
        StorageError,
        security_events::{self, EventKind},
        sessions,
    },
};

/// Ends the session and shows the account again. A session of somebody else is not touched.
pub async fn post(
    State(state): State<AppState>,
    MaybeSignedIn(signed_in): MaybeSignedIn,
    visitor: Visitor,
    request: Request,
) -> Result<Response, PageError> {
    let (_, form) = form::read(request).await?;
    let person = owner(&state, signed_in, &form)?;
    let id = Uuid::parse_str(form.required("session")?).map_err(|error| {
        let description = "The form does not name a session. Load the page again.";
        OAuthError::invalid_request("session_malformed", description).because(error)
    })?;
    end(&state, &person, &visitor, id).await.map_err(failed)?;
    Ok(see_other("/account?signed_out=yes"))
}

async fn end(
    state: &AppState,
    person: &SignedIn,
    visitor: &Visitor,
    id: Uuid,
) -> Result<(), StorageError> {
    let transaction = state.db.begin().await?;
    if sessions::close_of_user(&transaction, person.user.id, id).await? {
        let event = visitor.event(person.user.id, EventKind::SignedOut, "", state.clock.now());
        security_events::record(&transaction, event).await?;
    }
    transaction.commit().await
}
