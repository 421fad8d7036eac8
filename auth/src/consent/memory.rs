//! Consent that need not be asked for again.
//!
//! A live grant is the memory: it says what the person allowed, it ends when they take it back,
//! and no second list has to be kept in step with it.

use crate::{
    extract::{SignedIn, Visitor},
    oauth::{AuthorizationRequest, Client, Provenance, ScopeSet},
    state::AppState,
    storage::{StorageError, consents, grants},
};

/// Whether an answer to this client is remembered: only where the client has to prove who it is
/// before a code is worth anything. Anybody can call themselves a public client's name.
pub(crate) fn remembers(client: &Client) -> bool {
    !client.is_public()
}

/// Whether the person has allowed this client as much before, by the name that it has now, for the
/// same resource, with the answer going to the same place.
///
/// Anybody can register a client with a secret, and any page can send a browser here. So that no page
/// can fetch itself a code unnoticed, such a client's consent counts only where the person started
/// the request; that of a client which an operator entered counts always.
pub(crate) async fn has_consented(
    state: &AppState,
    request: &AuthorizationRequest,
    person: &SignedIn,
    visitor: &Visitor,
) -> Result<bool, StorageError> {
    let is_vouched_for = request.client.provenance == Provenance::PreRegistered;
    let counts = is_vouched_for || visitor.is_deliberate;
    if !remembers(&request.client) || !counts {
        return Ok(false);
    }
    let known = known(state, request, person).await?;
    Ok(known.iter().any(|(scope, redirect_uri)| {
        scope.covers(&request.scope) && redirect_uri == request.target.uri()
    }))
}

/// What the person allows this client already, by the same name, for the same resource and with the
/// answer going to the same place: what a page need not show first when the client asks for more.
pub(crate) async fn allowed_before(
    state: &AppState,
    request: &AuthorizationRequest,
    person: &SignedIn,
) -> Result<ScopeSet, StorageError> {
    let known = known(state, request, person).await?;
    let here = known.iter().filter(|(_, uri)| request.target.is_same_place(uri));
    Ok(here.flat_map(|(scope, _)| scope.iter()).collect())
}

/// The live grants of this person and client that are like the request: what each allows, and where the
/// answer went.
async fn known(
    state: &AppState,
    request: &AuthorizationRequest,
    person: &SignedIn,
) -> Result<Vec<(ScopeSet, String)>, StorageError> {
    let db = state.db.connection();
    let now = state.clock.now();
    let client_id = &request.client.id;
    let mut grants = grants::of_user_and_client(db, person.user().id, client_id, now).await?;
    grants.retain(|grant| is_for(grant, request));
    let consents = consents::of_grants(db, grants.iter().map(|grant| grant.id)).await?;
    let with_grant = consents.into_iter().filter_map(|consent| {
        let grant = grants.iter().find(|grant| grant.id == consent.grant_id)?;
        let scope = grant.scope.split(' ').filter(|scope| !scope.is_empty()).collect();
        Some((scope, consent.redirect_uri))
    });
    Ok(with_grant.collect())
}

/// Whether a grant is for the client's present name and the requested resource.
fn is_for(grant: &grants::Model, request: &AuthorizationRequest) -> bool {
    grant.client_name == request.client.metadata.client_name
        && grant.resource == request.resource.resource
}
