//! The last step: what an answer to a device leads to, a grant or none, and a line in the person's
//! list of events.

use axum::response::Response;
use web::{Frame, device::DeviceDonePage};

use super::{
    find,
    question::{self, PendingDevice},
    stale,
};
use crate::{
    consent::answer::grant_for,
    error_response::PageError,
    extract::{SignedIn, Visitor},
    oauth::{OAuthError, Parameters},
    presentation,
    state::AppState,
    storage::{EventKind, consents, device_codes, grants, security_events},
};

/// Takes the answer. Allowing takes the tick as well: only the person knows who began this. Grant,
/// answer and event are one transaction, so that a second answer leaves nothing behind.
pub(super) async fn decide(
    state: &AppState,
    person: &SignedIn,
    visitor: &Visitor,
    frame: &Frame,
    form: &Parameters,
) -> Result<Response, PageError> {
    let pending = PendingDevice::open(state, person, form.required("request")?)?;
    let waiting = find(state, &pending.user_code).await?.ok_or_else(stale)?;
    let allowed = match form.required("decision")? {
        "allow" if form.optional("started")? != Some("yes") => {
            return question::ask(state, person, frame, waiting, true).await;
        }
        "allow" => true,
        "deny" => false,
        _ => {
            return Err(OAuthError::invalid_request("decision", "Choose Allow or Deny.").into());
        }
    };
    let now = state.clock.now();
    let client = state.clients.find(&waiting.client_id).await?;
    let grant = if allowed {
        let scope = question::permitted(state, person, &waiting, &pending.scope)?.to_string();
        state.limits.approve(person.user().id, now)?;
        Some(grant_for(state, person, &client, &waiting.resource, &scope))
    } else {
        None
    };
    let grant_id = grant.as_ref().map(|grant| grant.id);
    let kind = if allowed { EventKind::DeviceAllowed } else { EventKind::AccessDenied };
    let event = visitor.event(person.user().id, kind, &client.metadata.client_name, now);

    let transaction = state.db.begin().await?;
    if !device_codes::answer(&transaction, &waiting.device_code_hash, grant_id, now).await? {
        // Another answer came first, or the request has expired.
        transaction.rollback().await?;
        return Err(stale());
    }
    if let Some(grant) = grant {
        let consent = consents::Model {
            grant_id: grant.id,
            user_id: person.user().id,
            redirect_uri: String::new(),
            device: visitor.device.clone(),
            network: visitor.network(),
            asked_scope: waiting.scope.clone(),
        };
        grants::issue(&transaction, grant, client.registration_id).await?;
        consents::record(&transaction, consent).await?;
    }
    security_events::record(&transaction, event).await?;
    transaction.commit().await?;
    Ok(presentation::html(DeviceDonePage { allowed }.render(frame)))
}
