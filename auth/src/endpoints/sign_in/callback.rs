//! `GET /sign-in/{provider}/callback`
//!
//! The browser comes back from an upstream. The person whom the upstream names is signed in, in the
//! browser that began, or is linked to the person who asked for that.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use axum_extra::extract::CookieJar;
use uuid::Uuid;
use web::error::ErrorKind;

use super::{pending::PendingSignIn, upstream, upstream_error};
use crate::{
    access::SCIM,
    admission::{Admitted, check},
    cookies::CookieName,
    endpoints::authorize,
    error_response::{AuthorizationError, PageError, see_other},
    extract::{Query, SignedIn, Visitor},
    oauth::{OAuthError, Secret, SecretKind},
    provisioning, recheck,
    state::AppState,
    storage::{
        EventKind,
        identities::{self, Linked, Model},
        security_events, sessions, users,
    },
    upstream::{Answer, Person, Upstream, UpstreamError},
};

/// Finishes the sign-in and goes on where it began.
pub(crate) async fn get(
    State(state): State<AppState>,
    pending: PendingSignIn,
    signed_in: Option<SignedIn>,
    visitor: Visitor,
    Query(answer): Query,
) -> Result<Response, PageError> {
    let upstream = upstream(&state, &pending.provider)?;
    if let Some(error) = answer.optional("error")? {
        let error = upstream_error(upstream, UpstreamError::Refused(error.into()));
        return Ok(tell_denied(&state, &pending, &visitor, error).await);
    }
    let code = answer.required("code")?;
    let iss = answer.optional("iss")?;
    pending.spend(&state).await?;
    let PendingSignIn { code_verifier, nonce, .. } = &pending;
    let answer = Answer { code, iss, code_verifier, nonce, now: state.clock.now() };
    let person = upstream.person(answer).await.map_err(|error| upstream_error(upstream, error))?;

    let jar = match &pending.link_to {
        Some(session) => {
            let owner = signed_in.filter(|it| it.session.token_hash == *session);
            link(&state, upstream, person, owner, &visitor).await?;
            CookieJar::new()
        }
        None => {
            let person = admit(&state, upstream, person, &visitor, &pending.continue_to).await?;
            let event = visitor.event(
                person.user().id,
                EventKind::SignedIn,
                &upstream.label,
                state.clock.now(),
            );
            open_session(&state, &person, signed_in, &visitor, event).await?
        }
    };
    Ok((jar, see_other(&pending.continue_to)).into_response())
}

/// If the person declined, a program on this machine that waits for the sign-in hears of it. Any
/// other redirect target could be a trap that only the consent page would have shown, so there the
/// person gets a page.
async fn tell_denied(
    state: &AppState,
    pending: &PendingSignIn,
    visitor: &Visitor,
    error: PageError,
) -> Response {
    let query = pending.continue_to.strip_prefix("/authorize?").unwrap_or_default();
    match authorize::read(state, query, visitor).await {
        Ok(request) if request.target.is_loopback() && error.kind == ErrorKind::Declined => {
            AuthorizationError::Redirect(request.target, error.told).into_response()
        }
        _ => error.into_response(),
    }
}

/// The account of a person who may come in, brought up to date. Strangers who may not leave no row.
async fn admit(
    state: &AppState,
    upstream: &Upstream,
    person: Person,
    visitor: &Visitor,
    continue_to: &str,
) -> Result<Admitted, PageError> {
    let contact = &state.access.contact;
    let kept_out = |refusal| PageError::kept_out(refusal, contact.clone(), continue_to);
    let Person { subject, profile, facts, credential } = person;
    let db = state.db.connection();
    if identities::find(db, &upstream.name, subject.as_str()).await?.is_none() {
        let said = provisioning::preview(state, &upstream.name, subject.as_str(), &facts).await?;
        let said = said.map(|said| (SCIM.to_owned(), said));
        let own = [(upstream.name.clone(), facts.clone())];
        check(state, None, &own.into_iter().chain(said).collect()).map_err(kept_out)?;
    }
    let now = state.clock.now();
    let user = identities::sign_in(&state.db, &upstream.name, &subject, profile, now).await?;
    // Stored for themselves: what no longer speaks for a person counts even if they are kept out now.
    let user = users::set_facts(db, user, &upstream.name, Some(facts)).await?;
    let user = provisioning::settle(state, user, &upstream.name, subject.as_str()).await?;
    if let Some(why) = recheck::enforce(state, &user).await? {
        let event = visitor.event(user.id, EventKind::KeptOut, &upstream.label, now);
        let event = security_events::Model { rule: why.to_string(), ..event };
        security_events::record(db, event).await?;
    }
    let identity = Model::new(&upstream.name, subject.as_str(), user.id, now);
    let verdict = Admitted::judge(state, user).map_err(kept_out);
    let credential = credential.filter(|_| verdict.is_ok());
    recheck::remember(state, db, &identity, credential.as_ref()).await?;
    verdict
}

/// Opens a session under a fresh cookie. The browser's earlier session ends.
async fn open_session(
    state: &AppState,
    person: &Admitted,
    before: Option<SignedIn>,
    visitor: &Visitor,
    event: security_events::Model,
) -> Result<CookieJar, PageError> {
    let now = state.clock.now();
    let user = person.user();
    let secret = Secret::generate(SecretKind::Session)?;
    // A person who proves again who they are goes on with the same session.
    let same = before.as_ref().filter(|before| before.user().id == user.id);
    let lifetime = state.config.session_lifetime;
    let session = sessions::Model {
        token_hash: secret.hash(),
        user_id: user.id,
        authenticated_at: now,
        expires_at: now.saturating_add(lifetime),
        id: same.map_or_else(Uuid::now_v7, |same| same.session.id),
        network: visitor.network(),
        device: visitor.device.clone(),
        last_seen_at: now,
    };
    let transaction = state.db.begin().await?;
    match (same, &before) {
        (Some(same), _) => sessions::replace(&transaction, &same.session.token_hash).await?,
        (None, Some(other)) => sessions::close(&transaction, &other.session.token_hash).await?,
        (None, None) => {}
    }
    tracing::debug!(person = %user.id, "signed in");
    sessions::open(&transaction, session).await?;
    security_events::record(&transaction, event).await?;
    transaction.commit().await?;
    Ok(CookieJar::new().add(CookieName::Session.cookie(&state.config, &secret, lifetime)))
}

/// Links the identity to `owner`, the person who asked, still in the session in which they asked.
async fn link(
    state: &AppState,
    upstream: &Upstream,
    person: Person,
    owner: Option<SignedIn>,
    visitor: &Visitor,
) -> Result<(), PageError> {
    let owner = owner.ok_or_else(|| {
        PageError::new(
            ErrorKind::Expired,
            "link_stale",
            "You have signed in or out since you asked for this. Try again.",
        )
    })?;
    if person.profile.verified_email.is_none() {
        return Err(PageError::new(
            ErrorKind::Refused,
            "link_unverified",
            "That account has no verified e-mail address. Verify one there, then try again.",
        ));
    }
    let now = state.clock.now();
    let subject = person.subject.as_str();
    let identity = Model::new(&upstream.name, subject, owner.user().id, now);
    let transaction = state.db.begin().await?;
    let linked = identities::link(&transaction, identity.clone()).await?;
    if linked != Linked::ToSomebodyElse {
        let user = owner.user().clone();
        users::set_facts(&transaction, user, &upstream.name, Some(person.facts)).await?;
        recheck::remember(state, &transaction, &identity, person.credential.as_ref()).await?;
    }
    if linked == Linked::Now {
        let event = visitor.event(owner.user().id, EventKind::IdentityLinked, &upstream.label, now);
        security_events::record(&transaction, event).await?;
    }
    transaction.commit().await?;
    match linked {
        Linked::Now | Linked::Before => {
            let person = users::find(state.db.connection(), owner.user().id).await?;
            let person = person.ok_or_else(OAuthError::not_found)?;
            let person = provisioning::settle(state, person, &upstream.name, subject).await?;
            recheck::enforce(state, &person).await?;
            Ok(())
        }
        Linked::ToSomebodyElse => Err(PageError::new(
            ErrorKind::Refused,
            "link_taken",
            "That account is already used to sign in as somebody else here. Delete the account \
             of that person first, or sign in as them.",
        )),
    }
}
