//! `GET /consent` and `POST /consent`
//!
//! The person allows or denies what a client asks for. The form carries the request sealed to
//! the session, so the answer is to exactly what was shown, in the browser that showed it.

use axum::{
    extract::{RawQuery, Request, State},
    response::{Html, IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use web::consent::{ConsentPage, ScopeLine};

use super::authorize;
use crate::{
    error_response::{AuthorizationError, PageError, see_other},
    extract::{
        form,
        signed_in::{MaybeSignedIn, SignedIn},
    },
    oauth::{
        authorization_request::AuthorizationRequest,
        client::Provenance,
        error::{ErrorCode, OAuthError},
        secret::{Secret, SecretKind},
    },
    state::AppState,
    storage::{StorageError, authorization_codes, grants},
};

/// Seconds that a code is good.
const CODE_LIFETIME: i64 = 60;
/// Seconds that a person may take to decide.
const PAGE_LIFETIME: i64 = 1800;

/// What the form carries.
#[derive(Serialize, Deserialize)]
struct PendingConsent {
    query: String,
    session: String,
    expires_at: i64,
}

/// Shows what is asked.
pub async fn get(
    State(state): State<AppState>,
    MaybeSignedIn(signed_in): MaybeSignedIn,
    RawQuery(query): RawQuery,
) -> Result<Response, AuthorizationError> {
    let query = query.unwrap_or_default();
    let request = authorize::read(&state, &query).await?;
    let Some(person) = signed_in? else {
        return Ok(see_other(&format!("/authorize?{query}")));
    };
    let pending = PendingConsent {
        session: person.session.token_hash.clone(),
        expires_at: state.clock.now() + PAGE_LIFETIME,
        query,
    };
    let sealed = state.seals.consent.seal(&pending).map_err(OAuthError::from)?;
    let csrf = person.csrf(&state);
    Ok(Html(page(&request, &person, sealed, &pending.query, csrf).render()).into_response())
}

/// Takes the answer and sends the browser to the client.
pub async fn post(
    State(state): State<AppState>,
    MaybeSignedIn(signed_in): MaybeSignedIn,
    request: Request,
) -> Result<Response, AuthorizationError> {
    let (_, form) = form::read(request).await?;
    let person = signed_in?.ok_or_else(stale)?;
    let pending: PendingConsent =
        state.seals.consent.open(form.required("request")?).map_err(|e| stale().because(e))?;
    if pending.session != person.session.token_hash || pending.expires_at <= state.clock.now() {
        return Err(stale().into());
    }
    let request = authorize::read(&state, &pending.query).await?;
    match form.required("decision")? {
        "allow" => {
            let code = issue_code(&state, &request, &person).await?;
            Ok(see_other(&request.target.with_code(code.expose())))
        }
        "deny" => Err(AuthorizationError::Redirect(request.target, denied())),
        _ => Err(OAuthError::invalid_request("decision", "Choose Allow or Deny.").into()),
    }
}

async fn issue_code(
    state: &AppState,
    request: &AuthorizationRequest,
    person: &SignedIn,
) -> Result<Secret, OAuthError> {
    let now = state.clock.now();
    let secret = Secret::generate(SecretKind::AuthorizationCode)?;
    let grant = grants::Model {
        id: Uuid::now_v7(),
        user_id: person.user.id,
        client_id: request.client.id.clone(),
        client_name: request.client.name.clone(),
        resource: request.resource.resource.clone(),
        scope: request.scope.to_string(),
        authenticated_at: person.session.authenticated_at,
        created_at: now,
        expires_at: now.saturating_add(state.config.grant_lifetime),
        revoked_at: None,
        refresh_token_hash: None,
        refresh_generation: 0,
        refresh_expires_at: 0,
        rotations: String::new(),
    };
    let code = authorization_codes::Model {
        code_hash: secret.hash(),
        grant_id: grant.id,
        client_id: request.client.id.clone(),
        redirect_uri: request.target.uri().into(),
        code_challenge: request.code_challenge.as_str().into(),
        nonce: request.nonce.clone(),
        expires_at: now + CODE_LIFETIME,
        redeemed_at: None,
    };
    store(state, grant, code)
        .await
        .map_err(|error| OAuthError::server_error("code_not_stored", error))?;
    Ok(secret)
}

async fn store(
    state: &AppState,
    grant: grants::Model,
    code: authorization_codes::Model,
) -> Result<(), StorageError> {
    let transaction = state.db.begin().await?;
    grants::issue(&transaction, grant).await?;
    authorization_codes::issue(&transaction, code).await?;
    transaction.commit().await
}

fn page(
    request: &AuthorizationRequest,
    person: &SignedIn,
    sealed: String,
    query: &str,
    csrf: String,
) -> ConsentPage {
    let line = |scope: &str| match request.resource.describe(scope) {
        Some(description) => ScopeLine {
            name: scope.into(),
            description: description.into(),
            sensitive: scope == "offline_access",
        },
        None => ScopeLine::of(scope),
    };
    ConsentPage {
        client_name: request.client.name.clone(),
        client_id: request.client.id.clone(),
        client_host: None,
        unverified: request.client.provenance == Provenance::Registered,
        redirect_host: request.target.shown_host(),
        redirect_uri: request.target.uri().into(),
        redirect_is_loopback: request.target.is_loopback(),
        resource_name: request.resource.name.clone(),
        resource: request.resource.resource.clone(),
        scopes: request.scope.iter().map(line).collect(),
        user_name: person.shown_name(),
        user_email: person.user.email.clone(),
        request: sealed,
        continue_to: format!("/authorize?{query}"),
        csrf,
    }
}

fn stale() -> OAuthError {
    OAuthError::new(
        ErrorCode::AccessDenied,
        "consent_stale",
        "This page is too old, or belongs to another sign-in. Start again from the program that \
         sent you here.",
    )
}

fn denied() -> OAuthError {
    OAuthError::new(ErrorCode::AccessDenied, "consent_denied", "The person denied the request.")
}

impl From<AuthorizationError> for PageError {
    fn from(error: AuthorizationError) -> Self {
        match error {
            AuthorizationError::Local(error) | AuthorizationError::Redirect(_, error) => {
                Self(error)
            }
        }
    }
}
