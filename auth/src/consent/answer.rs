//! What an answer leads to: a grant and a code for it, or a refusal, and a line in the person's
//! list of events.

use uuid::Uuid;

use crate::{
    extract::{signed_in::SignedIn, visitor::Visitor},
    oauth::{
        authorization_request::AuthorizationRequest,
        client::Client,
        error::OAuthError,
        scope::ScopeSet,
        secret::{Secret, SecretKind},
    },
    state::AppState,
    storage::{
        StorageError, authorization_codes, consents, grants,
        security_events::{self, EventKind},
    },
};

/// Seconds that a code is good.
const CODE_LIFETIME: i64 = 60;

/// Who answered, and where they were.
#[derive(Clone, Copy, Debug)]
pub struct Answerer<'a> {
    /// The person.
    pub person: &'a SignedIn,
    /// Their browser.
    pub visitor: &'a Visitor,
}

/// What is allowed.
#[derive(Clone, Copy, Debug)]
pub struct Allowed<'a> {
    /// To whom.
    pub client: &'a Client,
    /// The identifier of the resource.
    pub resource: &'a str,
    /// How much of it.
    pub scope: &'a str,
}

/// Grants `scope` of the request, and makes the code for it.
pub async fn allow(
    state: &AppState,
    request: &AuthorizationRequest,
    scope: &ScopeSet,
    answerer: Answerer<'_>,
) -> Result<Secret, OAuthError> {
    state.limits.approve(answerer.person.user.id, state.clock.now())?;
    let secret = Secret::generate(SecretKind::AuthorizationCode)?;
    let scope = request.resource.with_implied(scope).to_string();
    let resource = &request.resource.resource;
    let allowed = Allowed { client: &request.client, resource, scope: &scope };
    let grant = grant_for(state, answerer.person, allowed);
    let grant_id = grant.id;
    let code = authorization_codes::Model {
        code_hash: secret.hash(),
        grant_id: grant.id,
        client_id: request.client.id.clone(),
        redirect_uri: request.target.uri().into(),
        code_challenge: request.code_challenge.as_str().into(),
        nonce: request.nonce.clone(),
        key_thumbprint: request.dpop_jkt.clone(),
        expires_at: state.clock.now() + CODE_LIFETIME,
        redeemed_at: None,
    };
    let consent = consents::Model {
        grant_id: grant.id,
        user_id: grant.user_id,
        redirect_uri: code.redirect_uri.clone(),
        device: answerer.visitor.device.clone(),
        network: answerer.visitor.network(),
        asked_scope: request.asked_scope.clone(),
    };
    store(state, (grant, request.client.registration_id), (consent, code), answerer).await?;
    tracing::debug!(grant = %grant_id, person = %answerer.person.user.id, %scope, "access granted");
    Ok(secret)
}

/// Notes that the person said no.
pub async fn deny(
    state: &AppState,
    request: &AuthorizationRequest,
    answerer: Answerer<'_>,
) -> Result<(), OAuthError> {
    let Answerer { person, visitor } = answerer;
    let (kind, name) = (EventKind::AccessDenied, &request.client.metadata.client_name);
    let event = visitor.event(person.user.id, kind, name, state.clock.now());
    Ok(security_events::record(state.db.connection(), event).await?)
}

/// The grant by which a person allows something, not yet stored.
pub fn grant_for(state: &AppState, person: &SignedIn, allowed: Allowed<'_>) -> grants::Model {
    let now = state.clock.now();
    let Allowed { client, resource, scope } = allowed;
    grants::Model {
        id: Uuid::now_v7(),
        user_id: person.user.id,
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

async fn store(
    state: &AppState,
    (grant, registration_id): (grants::Model, Option<Uuid>),
    (consent, code): (consents::Model, authorization_codes::Model),
    answerer: Answerer<'_>,
) -> Result<(), StorageError> {
    let Answerer { person, visitor } = answerer;
    let (kind, name) = (EventKind::AccessAllowed, grant.client_name.clone());
    let event = visitor.event(person.user.id, kind, &name, state.clock.now());
    let transaction = state.db.begin().await?;
    grants::issue(&transaction, grant, registration_id).await?;
    authorization_codes::issue(&transaction, code).await?;
    consents::record(&transaction, consent).await?;
    security_events::record(&transaction, event).await?;
    transaction.commit().await
}
