//! `GET /sign-in/github/callback`
//!
//! The browser comes back from GitHub. Whoever GitHub says it is, is signed in here, in the
//! browser that began.

use axum::{
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use axum_extra::extract::CookieJar;
use uuid::Uuid;

use super::github::PendingSignIn;
use crate::{
    endpoints::authorize,
    error_response::{AuthorizationError, PageError, see_other},
    extract::{
        signed_in::{CookieName, cookie, cookie_name},
        visitor::Visitor,
    },
    oauth::{
        error::{ErrorCode, OAuthError},
        parameters::Parameters,
        secret::{self, Secret, SecretKind},
    },
    state::AppState,
    storage::{
        StorageError, identities,
        security_events::{self, EventKind},
        sessions,
    },
    upstream::github::{GithubError, PROVIDER, Person},
};

/// Finishes the sign-in and goes on where it began.
pub async fn get(
    State(state): State<AppState>,
    jar: CookieJar,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let answer = Parameters::parse(query.unwrap_or_default().as_bytes())?;
    let pending = open(&state, &jar, &answer)?;
    if let Some(error) = answer.optional("error")? {
        return Ok(tell_denied(&state, &pending, denied(error)).await);
    }
    let code = answer.required("code")?;
    let person = state.github.person(code, &pending.code_verifier).await.map_err(refused)?;
    let session = Secret::generate(SecretKind::Session)?;
    sign_in(&state, person, &session, visitor)
        .await
        .map_err(|error| OAuthError::server_error("sign_in_not_stored", error))?;
    let seconds = state.config.session_lifetime;
    let jar = CookieJar::new().add(cookie(&state.config, CookieName::Session, &session, seconds));
    Ok((jar, see_other(&pending.continue_to)).into_response())
}

/// A program on this machine that waits for the sign-in hears of its end. Anybody else's redirect
/// target could be a trap that only a consent page would have shown, so the person gets a page.
async fn tell_denied(state: &AppState, pending: &PendingSignIn, error: OAuthError) -> Response {
    let query = pending.continue_to.strip_prefix("/authorize?").unwrap_or_default();
    match authorize::read(state, query).await {
        Ok(request) if request.target.is_loopback() => {
            AuthorizationError::Redirect(request.target, error).into_response()
        }
        _ => PageError(error).into_response(),
    }
}

/// Checks that this is the browser that began, and that it did so lately.
fn open(
    state: &AppState,
    jar: &CookieJar,
    answer: &Parameters,
) -> Result<PendingSignIn, OAuthError> {
    let pending: PendingSignIn = state
        .seals
        .sign_in
        .open(answer.required("state")?)
        .map_err(|error| stale("sign_in_state").because(error))?;
    let browser = jar
        .get(cookie_name(&state.config, CookieName::Browser))
        .map(|cookie| secret::hash(cookie.value()))
        .ok_or_else(|| stale("sign_in_other_browser"))?;
    if !secret::same_hash(&browser, &pending.browser) {
        return Err(stale("sign_in_other_browser"));
    }
    match pending.expires_at <= state.clock.now() {
        true => Err(stale("sign_in_expired")),
        false => Ok(pending),
    }
}

async fn sign_in(
    state: &AppState,
    person: Person,
    secret: &Secret,
    visitor: Visitor,
) -> Result<(), StorageError> {
    let now = state.clock.now();
    let Person { subject, profile } = person;
    let user = identities::sign_in(&state.db, PROVIDER, &subject, profile, now).await?;
    let session = sessions::Model {
        token_hash: secret.hash(),
        user_id: user.id,
        authenticated_at: now,
        expires_at: now.saturating_add(state.config.session_lifetime),
        id: Uuid::now_v7(),
        network: visitor.network(),
        device: visitor.device.clone(),
        last_seen_at: now,
    };
    let event = visitor.event(user.id, EventKind::SignedIn, "GitHub", now);
    let transaction = state.db.begin().await?;
    sessions::open(&transaction, session).await?;
    security_events::record(&transaction, event).await?;
    transaction.commit().await
}

fn stale(reason: &'static str) -> OAuthError {
    OAuthError::new(
        ErrorCode::AccessDenied,
        reason,
        "This sign-in took too long, or was begun in another browser. Start again from the \
         program that sent you here.",
    )
}

fn denied(error: &str) -> OAuthError {
    OAuthError::new(
        ErrorCode::AccessDenied,
        "github_denied",
        "GitHub did not sign you in. If you declined there, start again and accept.",
    )
    .because(error.to_owned())
}

fn refused(error: GithubError) -> OAuthError {
    match &error {
        GithubError::Unreachable(_) => OAuthError::new(
            ErrorCode::TemporarilyUnavailable,
            "github_unreachable",
            "GitHub does not answer. Wait a moment, then go back and try again.",
        ),
        GithubError::Refused(_) => OAuthError::new(
            ErrorCode::AccessDenied,
            "github_refused",
            "GitHub did not accept the sign-in. Start again from the program that sent you here.",
        ),
    }
    .because(error)
}
