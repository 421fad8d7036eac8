//! `GET /sign-in/{provider}/callback`
//!
//! The browser comes back from an upstream. Whoever the upstream says it is, is signed in here, in
//! the browser that began; or is linked to the person who asked for that.

use axum::{
    extract::{Path, RawQuery, State},
    response::{IntoResponse, Response},
};
use axum_extra::extract::CookieJar;
use uuid::Uuid;

use super::{pending::PendingSignIn, upstream, upstream_error};
use crate::{
    endpoints::authorize,
    error_response::{AuthorizationError, PageError, see_other},
    extract::{
        signed_in::{CookieName, MaybeSignedIn, SignedIn, cookie},
        visitor::Visitor,
    },
    oauth::{
        error::{ErrorCode, OAuthError, RefusalKind},
        parameters::Parameters,
        secret::{Secret, SecretKind},
    },
    state::AppState,
    storage::{
        StorageError,
        identities::{self, Linked},
        security_events::{self, EventKind},
        sessions,
    },
    upstream::{Answer, Person, Upstream, UpstreamError},
};

/// Finishes the sign-in and goes on where it began.
pub async fn get(
    State(state): State<AppState>,
    Path(provider): Path<String>,
    jar: CookieJar,
    (MaybeSignedIn(signed_in), visitor): (MaybeSignedIn, Visitor),
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let answer = Parameters::parse(query.unwrap_or_default().as_bytes())?;
    let upstream = upstream(&state, &provider)?;
    let pending = PendingSignIn::open(&state, &jar, &answer, &provider)?;
    if let Some(error) = answer.optional("error")? {
        let error = upstream_error(upstream, UpstreamError::Refused(error.into()));
        return Ok(tell_denied(&state, &pending, &visitor, error).await);
    }
    let code = answer.required("code")?;
    let iss = answer.optional("iss")?;
    pending.consume(&state).await?;
    let PendingSignIn { code_verifier, nonce, .. } = &pending;
    let answer = Answer { code, iss, code_verifier, nonce, now: state.clock.now() };
    let person = upstream.person(answer).await.map_err(|e| upstream_error(upstream, e))?;

    let arrival = Arrival { upstream, person, before: signed_in?, visitor };
    let jar = match &pending.link_to {
        Some(session) => link(&state, arrival, session).await.map(|()| CookieJar::new())?,
        None => sign_in(&state, arrival).await?,
    };
    Ok((jar, see_other(&pending.continue_to)).into_response())
}

/// Who came back, from where, and who this browser was signed in as before.
struct Arrival<'a> {
    upstream: &'a Upstream,
    person: Person,
    before: Option<SignedIn>,
    visitor: Visitor,
}

/// Where the person declined, a program on this machine that waits for the sign-in hears of its end. Anybody else's redirect
/// target could be a trap that only a consent page would have shown, so the person gets a page.
async fn tell_denied(
    state: &AppState,
    pending: &PendingSignIn,
    visitor: &Visitor,
    error: OAuthError,
) -> Response {
    let query = pending.continue_to.strip_prefix("/authorize?").unwrap_or_default();
    match authorize::read(state, query, visitor).await {
        Ok(request) if request.target.is_loopback() && error.code == ErrorCode::AccessDenied => {
            AuthorizationError::Redirect(request.target, error).into_response()
        }
        _ => PageError(error).into_response(),
    }
}

/// Opens a session under a fresh cookie. The browser's old one is over, whosever it was.
async fn sign_in(state: &AppState, arrival: Arrival<'_>) -> Result<CookieJar, OAuthError> {
    let secret = Secret::generate(SecretKind::Session)?;
    open_session(state, arrival, &secret).await?;
    let seconds = state.config.session_lifetime;
    Ok(CookieJar::new().add(cookie(&state.config, CookieName::Session, &secret, seconds)))
}

async fn open_session(
    state: &AppState,
    arrival: Arrival<'_>,
    secret: &Secret,
) -> Result<(), StorageError> {
    let now = state.clock.now();
    let Arrival { upstream, person, before, visitor } = arrival;
    let Person { subject, profile } = person;
    let user = identities::sign_in(&state.db, &upstream.name, &subject, profile, now).await?;
    // Whoever proves anew that they are the same person goes on with the same session.
    let same = before.as_ref().filter(|before| before.user.id == user.id);
    let session = sessions::Model {
        token_hash: secret.hash(),
        user_id: user.id,
        authenticated_at: now,
        expires_at: now.saturating_add(state.config.session_lifetime),
        id: same.map_or_else(Uuid::now_v7, |same| same.session.id),
        network: visitor.network(),
        device: visitor.device.clone(),
        last_seen_at: now,
    };
    let event = visitor.event(user.id, EventKind::SignedIn, &upstream.label, now);
    let transaction = state.db.begin().await?;
    match (same, &before) {
        (Some(same), _) => sessions::replace(&transaction, &same.session.token_hash).await?,
        (None, Some(other)) => sessions::close(&transaction, &other.session.token_hash).await?,
        (None, None) => {}
    }
    tracing::debug!(person = %user.id, "signed in");
    sessions::open(&transaction, session).await?;
    security_events::record(&transaction, event).await?;
    transaction.commit().await
}

/// Links the identity to the person who asked, in the session in which they asked.
async fn link(state: &AppState, arrival: Arrival<'_>, session: &str) -> Result<(), OAuthError> {
    let Arrival { upstream, person, before, visitor } = arrival;
    let owner = before.filter(|before| before.session.token_hash == session);
    let owner = owner.ok_or_else(|| {
        refused("link_stale", "You have signed in or out since you asked for this. Try again.")
            .kind(RefusalKind::Expired)
    })?;
    if person.profile.verified_email.is_none() {
        return Err(refused(
            "link_unverified",
            "That account has no verified e-mail address. Verify one there, then try again.",
        ));
    }
    let now = state.clock.now();
    let event = visitor.event(owner.user.id, EventKind::IdentityLinked, &upstream.label, now);
    let identity = identities::Model {
        provider: upstream.name.clone(),
        subject: person.subject.as_str().into(),
        user_id: owner.user.id,
        created_at: now,
    };
    match store_link(state, identity, event).await? {
        Linked::Now | Linked::Before => Ok(()),
        Linked::ToSomebodyElse => Err(refused(
            "link_taken",
            "That account is already used to sign in as somebody else here. Delete the account \
             of that person first, or sign in as them.",
        )),
    }
}

async fn store_link(
    state: &AppState,
    identity: identities::Model,
    event: security_events::Model,
) -> Result<Linked, StorageError> {
    let transaction = state.db.begin().await?;
    let linked = identities::link(&transaction, identity).await?;
    if linked == Linked::Now {
        security_events::record(&transaction, event).await?;
    }
    transaction.commit().await?;
    Ok(linked)
}

fn refused(reason: &'static str, description: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::AccessDenied, reason, description)
}
