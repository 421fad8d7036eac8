//! `GET /consent` and `POST /consent`
//!
//! The person allows or denies what a client asks for. The form carries the request sealed to
//! the session, so the answer is to exactly what was shown, in the browser that showed it.

use axum::{
    extract::{RawQuery, State},
    response::Response,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use web::{Frame, Language, consent::ConsentPage, error::ErrorKind};

use super::authorize;
use crate::{
    consent::{answer, memory},
    error_response::{AuthorizationError, PageError, see_other},
    extract::{Form, SignedIn, Visitor},
    oauth::{AuthorizationRequest, ErrorCode, GrantType, OAuthError, ScopeSet},
    presentation,
    state::AppState,
};

/// Seconds that a person may take to decide.
const PAGE_LIFETIME: i64 = 1800;
const DAY: i64 = 86_400;

/// What the form carries.
#[derive(Serialize, Deserialize)]
struct PendingConsent {
    /// Tells this page from every other, so that it is answered once.
    id: Uuid,
    query: String,
    session: String,
    /// The scopes that the page shows. Others may become permitted before it is answered.
    scope: ScopeSet,
    expires_at: i64,
}

pub(crate) async fn get(
    State(state): State<AppState>,
    signed_in: Option<SignedIn>,
    visitor: Visitor,
    frame: Frame,
    RawQuery(query): RawQuery,
) -> Result<Response, AuthorizationError> {
    let query = query.unwrap_or_default();
    let mut request = authorize::read(&state, &query, &visitor).await?;
    // This page may be opened without /authorize, so its decision is repeated here.
    let now = state.clock.now();
    let Some(person) = signed_in.filter(|person| authorize::is_fresh(&request, person, now)) else {
        return Ok(see_other(&format!("/authorize?{query}")));
    };
    request.scope = authorize::permitted(&request, &person)
        .map_err(|error| AuthorizationError::of(&request.client, request.target.clone(), error))?;
    let pending = PendingConsent {
        id: Uuid::new_v4(),
        session: person.session.token_hash.clone(),
        scope: request.scope.clone(),
        expires_at: now + PAGE_LIFETIME,
        query,
    };
    let resource = &request.resource;
    let allowed_before = memory::allowed_before(&state, &request, &person).await?;
    let refreshes = request.client.check_grant(GrantType::RefreshToken).is_ok();
    let page = ConsentPage {
        client: presentation::client_details(&request.client),
        redirect: presentation::redirect(&request.target),
        resource_name: resource.name.clone(),
        resource: resource.resource.clone(),
        scopes: presentation::scope_lines(Some(resource), &request.scope, frame.language()),
        allowed_before: allowed_before.iter().map(str::to_owned).collect(),
        keeps_access_days: refreshes.then_some(state.config.grant_lifetime / DAY),
        remembered: memory::remembers(&request.client),
        person: presentation::person(&person),
        request: state.seals.consent.seal(&pending)?,
        continue_to: format!("/authorize?{}", pending.query),
        csrf: person.csrf(&state),
    };
    Ok(presentation::html(page.render(&frame)))
}

/// Takes the answer and sends the browser to the client.
pub(crate) async fn post(
    State(state): State<AppState>,
    signed_in: Option<SignedIn>,
    visitor: Visitor,
    Form(form): Form,
) -> Result<Response, AuthorizationError> {
    let person = signed_in.ok_or_else(stale)?;
    let pending: PendingConsent = state
        .seals
        .consent
        .open(form.required("request")?)
        .map_err(|error| stale().because(error))?;
    if pending.session != person.session.token_hash || pending.expires_at <= state.clock.now() {
        return Err(stale().into());
    }
    let (mut request, pushed) = authorize::read_pushed(&state, &pending.query, &visitor).await?;
    request.scope = request.scope.iter().filter(|scope| pending.scope.contains(scope)).collect();
    request.scope = authorize::permitted(&request, &person)
        .map_err(|error| AuthorizationError::of(&request.client, request.target.clone(), error))?;
    let scope = chosen(&request, form.all("scope"));
    let allows = match form.required("decision")? {
        // A person who left out every scope has allowed nothing.
        "allow" => !scope.is_empty() || request.scope.is_empty(),
        "deny" => false,
        _ => return Err(OAuthError::invalid_request("decision", "Choose Allow or Deny.").into()),
    };

    if let Some(name) = pushed {
        name.spend(&state).await?;
    }
    // Exactly one answer to a page counts, on any replica.
    state.spend("consent", &pending.id.to_string(), pending.expires_at, answered).await?;
    if !allows {
        answer::deny(&state, &request, &person, &visitor).await?;
        return Err(AuthorizationError::Redirect(request.target, denied()));
    }
    let code = answer::allow(&state, &request, &scope, &person, &visitor).await?;
    Ok(see_other(&request.target.with_code(code.expose())))
}

fn answered() -> PageError {
    PageError::new(
        ErrorKind::AlreadyAnswered,
        "consent_answered",
        "This page was answered before. Start again from the program that sent you here.",
    )
}

/// Of what was asked, all that cannot be left out and what was left ticked. What was left out stays
/// out, and with it every scope that would bring it along. A scope that was not asked for is never
/// added.
fn chosen(request: &AuthorizationRequest, ticked: &[String]) -> ScopeSet {
    let any = Language::default();
    let lines = presentation::scope_lines(Some(&request.resource), &request.scope, any);
    let left_out = lines.iter().filter(|line| line.optional && !ticked.contains(&line.name));
    let left_out: ScopeSet = left_out.map(|line| line.name.as_str()).collect();
    let brings_back = |scope: &&str| {
        let along = request.resource.with_implied(&std::iter::once(*scope).collect());
        left_out.iter().any(|scope| along.contains(scope))
    };
    request.scope.iter().filter(|scope| !brings_back(scope)).collect()
}

fn stale() -> PageError {
    PageError::new(
        ErrorKind::Expired,
        "consent_stale",
        "This page is too old, or belongs to another sign-in. Start again from the program that \
         sent you here.",
    )
}

fn denied() -> OAuthError {
    ErrorCode::AccessDenied.error("consent_denied", "The user denied the request.")
}
