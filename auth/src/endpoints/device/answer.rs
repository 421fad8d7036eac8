//! What an answer to a device leads to: a grant or none, and a line in the person's list of events.

use crate::{
    endpoints::consent::answer::grant_for,
    extract::{signed_in::SignedIn, visitor::Visitor},
    oauth::{client::Client, error::OAuthError},
    state::AppState,
    storage::{
        StorageError, consents, device_codes, grants,
        security_events::{self, EventKind},
    },
};

/// Answers the device's request; `false` if somebody was quicker, or it has expired.
pub(super) async fn answer(
    state: &AppState,
    answerer: (&SignedIn, &Visitor),
    asked: (&device_codes::Model, &Client),
    allowed: bool,
) -> Result<bool, OAuthError> {
    store(state, answerer, asked, allowed)
        .await
        .map_err(|error| OAuthError::server_error("device_answer_not_stored", error))
}

/// Grant, answer and event are one transaction: a second answer leaves nothing behind.
async fn store(
    state: &AppState,
    (person, visitor): (&SignedIn, &Visitor),
    (waiting, client): (&device_codes::Model, &Client),
    allowed: bool,
) -> Result<bool, StorageError> {
    let now = state.clock.now();
    let asked = (client, waiting.resource.as_str(), waiting.scope.clone());
    let grant = allowed.then(|| grant_for(state, person, asked));
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
        };
        grants::issue(&transaction, grant).await?;
        consents::record(&transaction, consent).await?;
    }
    let kind = if allowed { EventKind::DeviceAllowed } else { EventKind::AccessDenied };
    let event = visitor.event(person.user.id, kind, &client.name, now);
    security_events::record(&transaction, event).await?;
    transaction.commit().await?;
    Ok(true)
}
