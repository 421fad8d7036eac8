//! What an answer leads to: a grant and a code for it, or a refusal, and a line in the person's
//! list of events.

use uuid::Uuid;

use crate::{
    extract::{SignedIn, Visitor},
    oauth::{AuthorizationRequest, Client, OAuthError, ScopeSet, Secret, SecretKind},
    state::AppState,
    storage::{EventKind, StorageError, authorization_codes, consents, grants, security_events},
};

/// Seconds that a code is good.
const CODE_LIFETIME: i64 = 60;

/// Grants `scope` of the request, and makes the code for it.
pub(crate) async fn allow(
    state: &AppState,
    request: &AuthorizationRequest,
    scope: &ScopeSet,
    person: &SignedIn,
    visitor: &Visitor,
) -> Result<Secret, OAuthError> {
    let now = state.clock.now();
    let client = &request.client;
    state.limits.approve(person.user().id, now)?;
    let secret = Secret::generate(SecretKind::AuthorizationCode)?;
    let scope = request.resource.with_implied(scope).to_string();
    let grant = grant_for(state, person, client, &request.resource.resource, &scope);
    let code = authorization_codes::Model {
        code_hash: secret.hash(),
        grant_id: grant.id,
        client_id: client.id.clone(),
        redirect_uri: request.target.uri().into(),
        code_challenge: request.code_challenge.as_str().into(),
        nonce: request.nonce.clone(),
        key_thumbprint: request.dpop_jkt.clone(),
        expires_at: now + CODE_LIFETIME,
        redeemed_at: None,
    };
    let consent = consents::Model {
        grant_id: grant.id,
        user_id: grant.user_id,
        redirect_uri: code.redirect_uri.clone(),
        device: visitor.device.clone(),
        network: visitor.network(),
        asked_scope: request.asked_scope.clone(),
    };
    let event = visitor.event(
        person.user().id,
        EventKind::AccessAllowed,
        &client.metadata.client_name,
        now,
    );
    let grant_id = grant.id;

    let transaction = state.db.begin().await?;
    grants::issue(&transaction, grant, client.registration_id).await?;
    authorization_codes::issue(&transaction, code).await?;
    consents::record(&transaction, consent).await?;
    security_events::record(&transaction, event).await?;
    transaction.commit().await?;
    tracing::debug!(grant = %grant_id, person = %person.user().id, %scope, "access granted");
    Ok(secret)
}

/// Notes that the person said no.
pub(crate) async fn deny(
    state: &AppState,
    request: &AuthorizationRequest,
    person: &SignedIn,
    visitor: &Visitor,
) -> Result<(), StorageError> {
    let kind = EventKind::AccessDenied;
    let name = &request.client.metadata.client_name;
    let event = visitor.event(person.user().id, kind, name, state.clock.now());
    security_events::record(state.db.connection(), event).await
}

/// The grant by which a person allows something, not yet stored.
pub(crate) fn grant_for(
    state: &AppState,
    person: &SignedIn,
    client: &Client,
    resource: &str,
    scope: &str,
) -> grants::Model {
    let now = state.clock.now();
    grants::Model {
        id: Uuid::now_v7(),
        user_id: person.user().id,
        client_id: client.id.clone(),
        client_name: client.metadata.client_name.clone(),
        resource: resource.into(),
        scope: scope.into(),
        authenticated_at: person.session.authenticated_at,
        created_at: now,
        expires_at: now.saturating_add(state.config.grant_lifetime),
        revoked_at: None,
        refresh_token_hash: None,
        refresh_generation: 0,
        refresh_expires_at: 0,
        rotations: String::new(),
        key_thumbprint: None,
        session_id: Some(person.session.id),
        review_at: now,
    }
}
