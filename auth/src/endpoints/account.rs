//! `GET /account`
//!
//! What can act for a person and where they are signed in; each can be ended from here.

pub mod delete;
pub mod export;
pub mod revoke;
pub mod sessions;

use axum::{
    extract::{RawQuery, State},
    response::{Html, IntoResponse, Response},
};
use uuid::Uuid;
use web::{
    Frame, Language, Place,
    account::{
        AccountNotice, AccountPage, BrowserSession, ConnectedApp, LinkedIdentity, SecurityEvent,
    },
};

use crate::{
    clients,
    error_response::{PageError, see_other},
    extract::signed_in::{MaybeSignedIn, SignedIn},
    oauth::{
        error::{ErrorCode, OAuthError, RefusalKind},
        parameters::Parameters,
        scope::ScopeSet,
    },
    presentation,
    state::AppState,
    storage::{self, StorageError, consents, grants, identities, security_events},
};

/// Programs to a page, browsers and events shown: as much as keeps the page below 30 KB.
const MOST_APPS: usize = 8;
const MOST_SESSIONS: usize = 8;
const MOST_EVENTS: u64 = 10;

/// Everything that the database knows of an account and the page shows.
struct Facts {
    grants: Vec<grants::Model>,
    consents: Vec<consents::Model>,
    sessions: Vec<storage::sessions::Model>,
    identities: Vec<identities::Model>,
    events: Vec<security_events::Model>,
}

/// The page.
pub async fn get(
    State(state): State<AppState>,
    MaybeSignedIn(signed_in): MaybeSignedIn,
    frame: Frame,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let Some(person) = signed_in? else {
        return Ok(see_other("/sign-in?continue=/account"));
    };
    let parameters = Parameters::parse(query.unwrap_or_default().as_bytes())?;
    let number = parameters.optional("page")?.and_then(|page| page.parse().ok()).unwrap_or(1);
    let notice = notice(&state, &person, &parameters).await?;
    let facts = load(&state, &person).await.map_err(failed)?;
    let page = AccountPage { notice, ..page(&state, &person, facts, (number, frame.language())) };
    Ok(Html(page.render(&frame)).into_response())
}

/// What the address says has just been done. It names a grant, and only a grant of this person
/// that has ended is believed.
async fn notice(
    state: &AppState,
    person: &SignedIn,
    parameters: &Parameters,
) -> Result<Option<AccountNotice>, OAuthError> {
    if parameters.optional("signed_out")?.is_some() {
        return Ok(Some(AccountNotice::SignedOutThere));
    }
    let Some(id) = parameters.optional("removed")?.and_then(|id| Uuid::parse_str(id).ok()) else {
        return Ok(None);
    };
    let grant = grants::find(state.db.connection(), id).await.map_err(failed)?;
    let ended =
        grant.filter(|grant| grant.user_id == person.user.id && !grant.is_live(state.clock.now()));
    Ok(ended.map(|grant| AccountNotice::AccessRemoved(grant.client_name)))
}

async fn load(state: &AppState, person: &SignedIn) -> Result<Facts, StorageError> {
    let (db, now, id) = (state.db.connection(), state.clock.now(), person.user.id);
    Ok(Facts {
        grants: grants::of_user(db, id, now).await?,
        consents: consents::of_user(db, id).await?,
        sessions: storage::sessions::of_user(db, id, now).await?,
        identities: identities::of_user(db, id).await?,
        events: security_events::of_user(db, id, MOST_EVENTS).await?,
    })
}

fn page(
    state: &AppState,
    person: &SignedIn,
    facts: Facts,
    (number, language): (usize, Language),
) -> AccountPage {
    let last = facts.grants.len().div_ceil(MOST_APPS).max(1);
    let number = number.clamp(1, last);
    let shown = facts.grants.iter().skip((number - 1) * MOST_APPS).take(MOST_APPS);
    let apps = shown.map(|grant| app(state, grant, &facts.consents, language)).collect();
    AccountPage {
        person: presentation::person(person),
        notice: None,
        apps,
        other_pages: ((number > 1).then(|| number - 1), (number < last).then_some(number + 1)),
        sessions: facts
            .sessions
            .into_iter()
            .take(MOST_SESSIONS)
            .map(|session| browser(session, person))
            .collect(),
        linkable: linkable(state, &facts.identities),
        identities: facts.identities.into_iter().map(|one| identity(state, one)).collect(),
        events: facts.events.into_iter().map(event).collect(),
        csrf: person.csrf(state),
    }
}

fn app(
    state: &AppState,
    grant: &grants::Model,
    consents: &[consents::Model],
    language: Language,
) -> ConnectedApp {
    let resource = state.resources.iter().find(|one| one.resource == grant.resource);
    let consent = consents.iter().find(|consent| consent.grant_id == grant.id);
    let scopes: ScopeSet = grant.scope.split(' ').filter(|scope| !scope.is_empty()).collect();
    ConnectedApp {
        grant_id: grant.id.to_string(),
        name: grant.client_name.clone(),
        host: presentation::host_of(&grant.client_id),
        unverified: clients::registered_itself(&grant.client_id),
        resource_name: resource.map_or(&grant.resource, |resource| &resource.name).clone(),
        scopes: presentation::scope_lines(resource, &scopes, language),
        first_used_at: grant.created_at,
        last_used_at: grant.last_used_at(),
        allowed_in: consent.and_then(|it| presentation::place(&it.device, &it.network)),
    }
}

fn browser(session: storage::sessions::Model, person: &SignedIn) -> BrowserSession {
    BrowserSession {
        id: session.id.to_string(),
        is_this: session.id == person.session.id,
        place: Place { device: session.device, network: session.network },
        signed_in_at: session.authenticated_at,
        last_seen_at: session.last_seen_at,
    }
}

fn identity(state: &AppState, identity: identities::Model) -> LinkedIdentity {
    let label = state.upstreams.find(&identity.provider).map(|upstream| upstream.label.clone());
    let provider = label.unwrap_or(identity.provider);
    LinkedIdentity { provider, subject: identity.subject, since: identity.created_at }
}

/// Where the person could sign in too: label and path of each upstream that does not know them.
fn linkable(state: &AppState, known: &[identities::Model]) -> Vec<(String, String)> {
    let is_new = |name: &str| known.iter().all(|identity| identity.provider != name);
    let upstreams = state.upstreams.iter().filter(|upstream| is_new(&upstream.name));
    upstreams.map(|one| (one.label.clone(), format!("/sign-in/{}/link", one.name))).collect()
}

fn event(event: security_events::Model) -> SecurityEvent {
    SecurityEvent {
        place: presentation::place(&event.device, &event.network),
        kind: event.kind,
        subject: event.subject,
        at: event.occurred_at,
    }
}

/// The person behind a form of the account page, whose session made that page.
fn owner(
    state: &AppState,
    signed_in: Result<Option<SignedIn>, OAuthError>,
    form: &Parameters,
) -> Result<SignedIn, OAuthError> {
    let refused =
        |reason, description| OAuthError::new(ErrorCode::AccessDenied, reason, description);
    let person = signed_in?.ok_or_else(|| {
        refused("account_signed_out", "Nobody is signed in in this browser. Sign in first.")
            .kind(RefusalKind::SignInNeeded)
    })?;
    match person.made(state, form.optional("csrf")?.unwrap_or_default()) {
        true => Ok(person),
        false => Err(refused("account_stale", "This page is too old. Load it again.")
            .kind(RefusalKind::Expired)),
    }
}

fn failed(error: StorageError) -> OAuthError {
    OAuthError::outage("account_storage", error)
}
