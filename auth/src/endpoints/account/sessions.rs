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
    storage::{
        StorageError,
        security_events::{self, EventKind},
        sessions,
    },
};

/// What the form names instead of a session to mean all but the one that sends it.
const OTHERS: &str = "others";

/// The sessions to end.
#[derive(Clone, Copy)]
enum Which {
    One(Uuid),
    Others,
}

/// Ends them and shows the account again. Another user's session is not touched.
pub(crate) async fn post(
    State(state): State<AppState>,
    form: AccountForm,
) -> Result<Response, PageError> {
    let which = match form.parameters.required("session")? {
        OTHERS => Which::Others,
        id => Which::One(Uuid::parse_str(id).map_err(|error| {
            let description = "The form does not name a session. Load the page again.";
            OAuthError::invalid_request("session_malformed", description).because(error)
        })?),
    };
    end(&state, &form, which).await?;
    Ok(see_other(match which {
        Which::One(_) => "/account?signed_out=yes",
        Which::Others => "/account?signed_out=others",
    }))
}

async fn end(state: &AppState, form: &AccountForm, which: Which) -> Result<(), StorageError> {
    let user = form.person.user.id;
    let own = form.person.session.id;
    let transaction = state.db.begin().await?;
    let (any, kind) = match which {
        Which::One(id) => {
            (sessions::close_of_user(&transaction, user, id).await?, EventKind::SignedOut)
        }
        Which::Others => {
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
