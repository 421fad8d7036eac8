//! `POST /account/sessions`
//!
//! Signs out another browser of the same person, or every other one. What programs were granted
//! there, they keep.

use axum::{extract::State, response::Response};
use uuid::Uuid;

use crate::{
    error_response::{PageError, see_other},
    extract::AccountForm,
    oauth::OAuthError,
    state::AppState,
    storage::{EventKind, StorageError, security_events, sessions},
};

/// What the form names instead of a session to mean all but the one that sends it.
const OTHERS: &str = "others";

/// Ends them and shows the account again. Another user's session is not touched.
pub(crate) async fn post(
    State(state): State<AppState>,
    form: AccountForm,
) -> Result<Response, PageError> {
    let named = form.parameters.required("session")?;
    if named == OTHERS {
        end(&state, &form, None).await?;
        return Ok(see_other("/account?signed_out=others"));
    }
    let session = Uuid::parse_str(named).map_err(|error| {
        let description = "The form does not name a session. Load the page again.";
        OAuthError::invalid_request("session_malformed", description).because(error)
    })?;
    end(&state, &form, Some(session)).await?;
    Ok(see_other("/account?signed_out=yes"))
}

/// Ends one session, or every one but that of the form.
async fn end(
    state: &AppState,
    form: &AccountForm,
    session: Option<Uuid>,
) -> Result<(), StorageError> {
    let user = form.person.user().id;
    let own = form.person.session.id;
    let transaction = state.db.begin().await?;
    let (any, kind) = match session {
        Some(id) => (sessions::close_of_user(&transaction, user, id).await?, EventKind::SignedOut),
        None => {
            let ended = sessions::close_others_of_user(&transaction, user, own).await?;
            (ended > 0, EventKind::SignedOutElsewhere)
        }
    };
    if any {
        let event = form.event(kind, "", state.clock.now());
        security_events::record(&transaction, event).await?;
    }
    transaction.commit().await
}
