//! `POST /account/revoke`
//!
//! Takes back what a program was granted: its refresh tokens at once, its access tokens as soon as
//! the resource server hears of it (RFC 7009 is the same for programs).

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
        StorageError, grants,
        security_events::{self, EventKind},
    },
};

/// Ends the grant and shows the account again. Ending it twice is no error.
pub async fn post(
    State(state): State<AppState>,
    MaybeSignedIn(signed_in): MaybeSignedIn,
    visitor: Visitor,
    request: Request,
) -> Result<Response, PageError> {
    let (_, form) = form::read(request).await?;
    let person = owner(&state, signed_in, &form)?;
    let id = Uuid::parse_str(form.required("grant")?)
        .map_err(|error| OAuthError::invalid_request("grant_malformed", NO_GRANT).because(error))?;
    end(&state, &person, &visitor, id).await.map_err(failed)?;
    Ok(see_other(&format!("/account?removed={id}")))
}

const NO_GRANT: &str = "The form does not name a grant. Load the page again.";

/// A grant of somebody else is treated like one that does not exist.
async fn end(
    state: &AppState,
    person: &SignedIn,
    visitor: &Visitor,
    id: Uuid,
) -> Result<(), StorageError> {
    let now = state.clock.now();
    let transaction = state.db.begin().await?;
    let grant = grants::find(&transaction, id).await?;
    if let Some(grant) = grant.filter(|it| it.user_id == person.user.id && it.is_live(now)) {
        let (kind, name) = (EventKind::AccessRemoved, &grant.client_name);
        let event = visitor.event(person.user.id, kind, name, now);
        security_events::record(&transaction, event).await?;
        grants::revoke(&transaction, id, now).await?;
    }
    transaction.commit().await
}
