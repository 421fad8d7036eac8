//! `POST /account/revoke`
//!
//! Takes back what a program was granted: its refresh tokens at once, its access tokens as soon as
//! the resource server hears of it (RFC 7009 is the same for programs).

use axum::{extract::State, response::Response};
use uuid::Uuid;

use crate::{
    error_response::{PageError, see_other},
    extract::AccountForm,
    oauth::OAuthError,
    state::AppState,
    storage::{EventKind, StorageError, grants, security_events},
};

/// Ends the grant and shows the account again. Ending it twice is no error.
pub(crate) async fn post(
    State(state): State<AppState>,
    form: AccountForm,
) -> Result<Response, PageError> {
    let id = Uuid::parse_str(form.parameters.required("grant")?)
        .map_err(|error| OAuthError::invalid_request("grant_malformed", NO_GRANT).because(error))?;
    end(&state, &form, id).await?;
    Ok(see_other(&format!("/account?removed={id}")))
}

const NO_GRANT: &str = "The form does not name a grant. Load the page again.";

/// Another user's grant is treated like one that does not exist.
async fn end(state: &AppState, form: &AccountForm, id: Uuid) -> Result<(), StorageError> {
    let now = state.clock.now();
    let transaction = state.db.begin().await?;
    let grant = grants::find(&transaction, id).await?;
    if let Some(grant) = grant.filter(|it| it.user_id == form.person.user().id && it.is_live(now)) {
        let event = form.event(EventKind::AccessRemoved, &grant.client_name, now);
        security_events::record(&transaction, event).await?;
        grants::revoke(&transaction, id, now).await?;
    }
    transaction.commit().await
}
