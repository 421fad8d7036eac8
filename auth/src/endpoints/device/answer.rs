//! The last step: what an answer to a device leads to, a grant or none, and a line in the person's
//! list of events.

use axum::response::{Html, IntoResponse, Response};
use web::device::DeviceDonePage;

use super::{
    Visit, find,
    question::{self, PendingDevice},
    stale,
};
use crate::{
    consent::answer::{Allowed, Answerer, grant_for},
    error_response::PageError,
    oauth::{client::Client, error::OAuthError, parameters::Parameters},
    state::AppState,
    storage::{
        StorageError, consents, device_codes, grants,
        security_events::{self, EventKind},
    },
};

/// An answer, and to what.
#[derive(Clone, Copy)]
struct Answer<'a> {
    waiting: &'a device_codes::Model,
    client: &'a Client,
    allows: bool,
}

/// Takes the answer. Allowing takes the tick as well: only the person knows who began this.
pub(super) async fn decide(
    state: &AppState,
    visit: Visit<'_>,
    form: &Parameters,
    pending: &PendingDevice,
) -> Result<Response, PageError> {
    let waiting = find(state, &pending.user_code).await?.ok_or_else(stale)?;
    let allows = match form.required("decision")? {
        "allow" if form.optional("started")? != Some("yes") => {
            return question::ask(state, visit, waiting, true).await;
        }
        "allow" => true,
        "deny" => false,
        _ => {
            return Err(OAuthError::invalid_request("decision", "Choose Allow or Deny.").into());
        }
    };
    let client = state.clients.find(&waiting.client_id).await?;
    if allows {
        state.limits.approve(visit.answerer.person.user.id, state.clock.now())?;
    }
    let answer = Answer { waiting: &waiting, client: &client, allows };
    match store(state, visit.answerer, answer).await? {
        true => Ok(Html(DeviceDonePage { allowed: allows }.render(visit.frame)).into_response()),
        false => Err(stale().into()),
    }
}

/// Grant, answer and event are one transaction: a second answer leaves nothing behind. `false` if
/// somebody was quicker, or the request has expired.
async fn store(
    state: &AppState,
    answerer: Answerer<'_>,
    answer: Answer<'_>,
) -> Result<bool, StorageError> {
    let now = state.clock.now();
    let (Answerer { person, visitor }, Answer { waiting, client, allows }) = (answerer, answer);
    let allowed = Allowed { client, resource: &waiting.resource, scope: &waiting.scope };
    let grant = allows.then(|| grant_for(state, person, allowed));
    let transaction = state.db.begin().await?;
    let grant_id = grant.as_ref().map(|grant| grant.id);
    if !device_codes::answer(&transaction, &waiting.device_code_hash, grant_id, now).await? {
        transaction.rollback().await?;
        return Ok(false);
    }
    if let Some(grant) = grant {
        let consent = consents::Model {
            grant_id: grant.id,
            user_id: person.user.id,
            redirect_uri: String::new(),
            device: visitor.device.clone(),
            network: visitor.network(),
            asked_scope: waiting.scope.clone(),
        };
        grants::issue(&transaction, grant, client.registration_id).await?;
        consents::record(&transaction, consent).await?;
    }
    let kind = if allows { EventKind::DeviceAllowed } else { EventKind::AccessDenied };
    let event = visitor.event(person.user.id, kind, &client.metadata.client_name, now);
    security_events::record(&transaction, event).await?;
    transaction.commit().await?;
    Ok(true)
}
