//! `GET /account`
//!
//! What can act for a person and where they are signed in; each can be ended from here.

pub(crate) mod delete;
pub(crate) mod export;
pub(crate) mod identities;
pub(crate) mod revoke;
pub(crate) mod sessions;

use axum::{extract::State, response::Response};
use uuid::Uuid;
use web::{
    Frame, Language, Place,
    account::{
        AccountNotice, AccountPage, BrowserSession, ConnectedApp, LinkedIdentity, ListPage,
        SecurityEvent,
    },
};

use crate::{
    clients::registration::is_registered_id,
    error_response::{PageError, see_other},
    extract::{Query, SignedIn},
    oauth::{OAuthError, Parameters, ScopeSet},
    presentation,
    state::AppState,
    storage::{self, EventKind, StorageError, consents, grants, security_events},
};

/// Programs and browsers to a page, and events shown: as much as keeps the page below 30 KB.
const MAX_APPS: usize = 8;
const MAX_SESSIONS: usize = 8;
const MAX_EVENTS: u64 = 10;

/// Which parts of the lists are to be shown, counted from 1, and in which language.
struct View {
    apps: usize,
    sessions: usize,
    language: Language,
}

pub(crate) async fn get(
    State(state): State<AppState>,
    signed_in: Option<SignedIn>,
    frame: Frame,
    Query(parameters): Query,
) -> Result<Response, PageError> {
    let Some(person) = signed_in else {
        return Ok(see_other("/sign-in?continue=/account"));
    };
    let number = |name| parameters.optional(name).map(|it| it.and_then(|it| it.parse().ok()));
    let view = View {
        apps: number("page")?.unwrap_or(1),
        sessions: number("sessions")?.unwrap_or(1),
        language: frame.language(),
    };
    let events =
        security_events::of_user(state.db.connection(), person.user().id, MAX_EVENTS).await?;
    let notice = notice(&state, &person, &parameters, events.first()).await?;
    let page = AccountPage { notice, ..page(&state, &person, events, &view).await? };
    Ok(presentation::html(page.render(&frame)))
}

/// What the address says has just been done. It is believed where the latest event bears it out; and
/// of a grant, where it was this person's and has ended.
async fn notice(
    state: &AppState,
    person: &SignedIn,
    parameters: &Parameters,
    last: Option<&security_events::Model>,
) -> Result<Option<AccountNotice>, OAuthError> {
    if parameters.optional("signed_out")?.is_some() || parameters.optional("unlinked")?.is_some() {
        return Ok(last.and_then(latest));
    }
    let Some(id) = parameters.optional("removed")?.and_then(|id| Uuid::parse_str(id).ok()) else {
        return Ok(None);
    };
    let grant = grants::find(state.db.connection(), id).await?;
    let ended = grant
        .filter(|grant| grant.user_id == person.user().id && !grant.is_live(state.clock.now()));
    Ok(ended.map(|grant| AccountNotice::AccessRemoved(grant.client_name)))
}

/// What a form of this page did last, if nothing else has happened since.
fn latest(event: &security_events::Model) -> Option<AccountNotice> {
    let told = [
        (EventKind::SignedOut, AccountNotice::SignedOutThere),
        (EventKind::SignedOutElsewhere, AccountNotice::SignedOutElsewhere),
        (EventKind::IdentityUnlinked, AccountNotice::IdentityRemoved(event.subject.clone())),
    ];
    told.into_iter().find(|(kind, _)| event.kind == kind.as_str()).map(|(_, notice)| notice)
}

async fn page(
    state: &AppState,
    person: &SignedIn,
    events: Vec<security_events::Model>,
    view: &View,
) -> Result<AccountPage, StorageError> {
    let db = state.db.connection();
    let now = state.clock.now();
    let id = person.user().id;
    let grants = grants::of_user(db, id, now).await?;
    let consents = consents::of_user(db, id).await?;
    let known = storage::identities::of_user(db, id).await?;
    let mut sessions = storage::sessions::of_user(db, id, now).await?;
    // This browser comes first, whichever was used last.
    sessions.sort_by_key(|session| session.id != person.session.id);
    let (grants, app_page) = part(&grants, view.apps, MAX_APPS);
    let (sessions, session_page) = part(&sessions, view.sessions, MAX_SESSIONS);
    let app = |grant| app(state, grant, &consents, view.language);
    Ok(AccountPage {
        person: presentation::person(person),
        notice: None,
        apps: grants.iter().map(app).collect(),
        app_page,
        sessions: sessions.iter().map(|session| browser(session, person)).collect(),
        session_page,
        linkable: linkable(state, &known),
        identities: identities(state, &known),
        events: events.into_iter().map(event).collect(),
        csrf: person.csrf(state),
    })
}

/// The part of a list that its page of this number shows, or the nearest one that there is.
fn part<T>(list: &[T], number: usize, most: usize) -> (&[T], ListPage) {
    let last = list.len().div_ceil(most).max(1);
    let number = number.clamp(1, last);
    let shown = list.chunks(most).nth(number - 1).unwrap_or_default();
    (shown, ListPage { number, last })
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
        unverified: is_registered_id(&grant.client_id),
        resource_name: resource.map_or(&grant.resource, |resource| &resource.name).clone(),
        scopes: presentation::scope_lines(resource, &scopes, language),
        first_used_at: grant.created_at,
        last_used_at: grant.last_used_at(),
        allowed_in: consent.and_then(|it| presentation::place(&it.device, &it.network)),
    }
}

fn browser(session: &storage::sessions::Model, person: &SignedIn) -> BrowserSession {
    BrowserSession {
        id: session.id.to_string(),
        is_this: session.id == person.session.id,
        place: Place { device: session.device.clone(), network: session.network.clone() },
        signed_in_at: session.authenticated_at,
        last_seen_at: session.last_seen_at,
    }
}

fn identities(state: &AppState, all: &[storage::identities::Model]) -> Vec<LinkedIdentity> {
    let shown = all.iter().map(|identity| {
        let upstream = state.upstreams.find(&identity.provider);
        LinkedIdentity {
            id: identities::name(identity),
            provider: upstream.map_or(&identity.provider, |one| &one.label).clone(),
            subject: identity.subject.clone(),
            since: identity.created_at,
            is_spare: identities::is_spare(identity, all, &state.upstreams),
        }
    });
    shown.collect()
}

/// Where the person could sign in too: label and path of each upstream that does not know them.
fn linkable(state: &AppState, known: &[storage::identities::Model]) -> Vec<(String, String)> {
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
