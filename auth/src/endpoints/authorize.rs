//! `GET /authorize`
//!
//! Decides what comes next for an authorization request: sign in, consent, or the answer
//! (RFC 6749 §4.1.1). Sign-in and consent send the browser back here; nothing is stored, except
//! where a remembered consent is the answer.

use axum::{
    extract::{RawQuery, State},
    http::Method,
    response::Response,
};

use super::par::{self, PushedName};
use crate::{
    admission::nothing_permitted,
    consent::{answer, memory},
    error_response::{AuthorizationError, see_other},
    extract::{SignedIn, Visitor},
    oauth::{AuthorizationRequest, ErrorCode, OAuthError, Parameters, RedirectTarget, ScopeSet},
    state::AppState,
};

/// Seconds after signing in during which `prompt=login` counts as answered.
const FRESH_SIGN_IN: i64 = 120;
/// Seconds that the way back from signing in may take without counting as age.
const WAY_BACK: i64 = 5;

#[derive(Clone, Copy, Debug)]
enum Next {
    SignIn,
    Consent,
    Answer,
}

/// Sends the browser on. Nothing is stored before there is an answer, because clients probe this
/// endpoint. A HEAD request, as link checkers send it, never gets an answer.
pub(crate) async fn get(
    State(state): State<AppState>,
    method: Method,
    signed_in: Option<SignedIn>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, AuthorizationError> {
    let query = query.unwrap_or_default();
    let (mut request, pushed) = read_pushed(&state, &query, &visitor).await?;
    if let Some(person) = &signed_in {
        request.scope = permitted(&request, person).map_err(|error| {
            AuthorizationError::of(&request.client, request.target.clone(), error)
        })?;
    }
    let remembered = match &signed_in {
        Some(person) => memory::has_consented(&state, &request, person, &visitor).await?,
        None => false,
    };
    let next = decide(&request, signed_in.as_ref(), remembered, state.clock.now());
    let person = signed_in.as_ref().map(|person| tracing::field::display(person.user().id));
    tracing::debug!(next = ?next.as_ref().ok(), person, remembered, "request judged");
    match (next, &signed_in) {
        (Err(error), _) => Err(AuthorizationError::of(&request.client, request.target, error)),
        (Ok(Next::Answer), Some(person)) if method != Method::HEAD => {
            if let Some(name) = pushed {
                name.spend(&state).await?;
            }
            let code = answer::allow(&state, &request, &request.scope, person, &visitor).await?;
            Ok(see_other(&request.target.with_code(code.expose())))
        }
        (Ok(Next::Consent | Next::Answer), Some(_)) => Ok(see_other(&format!("/consent?{query}"))),
        _ => Ok(see_other(&format!("/sign-in?{}", continue_to(&query)))),
    }
}

/// The request behind a query: client and redirect target first, then all else. From the moment that
/// the target is certain, errors go there, by redirect or by the person's leave.
pub(crate) async fn read(
    state: &AppState,
    query: &str,
    visitor: &Visitor,
) -> Result<AuthorizationRequest, AuthorizationError> {
    read_pushed(state, query, visitor).await.map(|(request, _)| request)
}

/// The same, with the name to spend of a request that was pushed.
pub(super) async fn read_pushed(
    state: &AppState,
    query: &str,
    visitor: &Visitor,
) -> Result<(AuthorizationRequest, Option<PushedName>), AuthorizationError> {
    let query = Parameters::parse(query.as_bytes())?;
    let id = query.required("client_id")?;
    let client = state.clients.find_for(id, &visitor.network()).await?;
    let (parameters, pushed) = par::open(state, &client, query)?;
    let must_push = client.metadata.require_pushed_authorization_requests && pushed.is_none();
    let redirect_uri = parameters.optional("redirect_uri")?;
    let one_state = parameters.optional("state").unwrap_or_default();
    let target = RedirectTarget::verify(&client, redirect_uri, one_state, &state.config.issuer)?;
    let request = if must_push {
        Err(must_be_pushed())
    } else {
        let client = client.clone();
        let target = target.clone();
        AuthorizationRequest::parse(&parameters, client, target, &state.resources)
    };
    let request = request.map_err(|error| AuthorizationError::of(&client, target, error))?;
    Ok((request, pushed))
}

/// Of the scopes that are asked for, those that the person may have. The others are neither shown nor
/// granted.
pub(super) fn permitted(
    request: &AuthorizationRequest,
    person: &SignedIn,
) -> Result<ScopeSet, OAuthError> {
    let permitted = person.person.permitted(&request.resource, &request.scope);
    permitted.ok_or_else(|| nothing_permitted(ErrorCode::AccessDenied))
}

fn must_be_pushed() -> OAuthError {
    OAuthError::invalid_request(
        "request_not_pushed",
        "This client must push its authorization requests to /par first (RFC 9126).",
    )
}

fn decide(
    request: &AuthorizationRequest,
    signed_in: Option<&SignedIn>,
    remembered: bool,
    now: i64,
) -> Result<Next, OAuthError> {
    match signed_in {
        None if request.prompt.none => Err(ErrorCode::LoginRequired.error(
            "prompt_none_signed_out",
            "Nobody is signed in, and the request has prompt=none, so the user cannot be asked.",
        )),
        Some(person) if request.prompt.none && !is_fresh(request, person, now) => {
            Err(ErrorCode::LoginRequired.error(
                "prompt_none_max_age",
                "The user signed in longer ago than max_age, and the request has prompt=none, so \
                 the user cannot be asked to sign in again.",
            ))
        }
        Some(_) if request.prompt.none && remembered => Ok(Next::Answer),
        Some(_) if request.prompt.none => Err(ErrorCode::ConsentRequired.error(
            "prompt_none_consent",
            "The user must consent, and the request has prompt=none, so the user cannot be asked.",
        )),
        Some(person) if is_fresh(request, person, now) => {
            let is_answered = remembered && !request.prompt.consent;
            Ok(if is_answered { Next::Answer } else { Next::Consent })
        }
        _ => Ok(Next::SignIn),
    }
}

/// Whether the person signed in lately enough for what the request wants.
pub(super) fn is_fresh(request: &AuthorizationRequest, person: &SignedIn, now: i64) -> bool {
    let age = now - person.session.authenticated_at;
    let in_time = request.max_age.is_none_or(|max_age| age <= max_age.max(WAY_BACK));
    in_time && (!request.prompt.login || age < FRESH_SIGN_IN)
}

/// `continue=` with the way back here.
fn continue_to(query: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair("continue", &format!("/authorize?{query}"))
        .finish()
}
