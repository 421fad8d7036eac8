//! The deny list of an issuer: tokens, grants, keys, users and clients that it revoked recently. It ends the validity
//! of signed tokens early, without a request to the issuer for each call.
//!
//! While there are callers, one task polls the issuer for additions about once a second. Calls only
//! look into memory, except that the first one after a pause waits for the list.

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    str::FromStr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use net::clock::Clock;
use reqwest::{StatusCode, header::IF_NONE_MATCH};
use serde::Deserialize;
use thiserror::Error;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use crate::{
    authorization_server::{AuthorizationServer, FetchError, body},
    digest::sha256,
    jwks::KeyCache,
    refusal::Refusal,
};

/// Time between two polls.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Maximum age of the list for [`Revocations::FailClosed`]. A few polls may fail.
const MAX_AGE: Duration = Duration::from_secs(4);
/// Time after the last caller until polling stops.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// Most pages of one poll. The next poll continues.
const MAX_PAGES: usize = 20;
/// Prefix of an entry for a withdrawn key, followed by its `kid`. No `jti` starts like this.
const KEY_PREFIX: &str = "kid:";
/// Prefix of an entry for a user who was shut out, followed by the `sub`.
const SUBJECT_PREFIX: &str = "sub:";
/// Prefix of an entry for a client that was blocked, followed by the SHA-256 of its `client_id` in
/// base64url.
const CLIENT_PREFIX: &str = "client:";

/// How the guard uses the deny lists of its issuers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Revocations {
    /// Deny lists are not read. A signed token is valid until it expires.
    Off,
    /// While a deny list cannot be read, tokens are accepted unless they are known to be revoked.
    #[default]
    FailOpen,
    /// While a deny list cannot be read, every token of that issuer is refused.
    FailClosed,
}

/// Reads `off`, `fail-open` or `fail-closed`, as a setting spells them.
impl FromStr for Revocations {
    type Err = UnknownRevocations;

    fn from_str(text: &str) -> Result<Self, UnknownRevocations> {
        match text {
            "off" => Ok(Self::Off),
            "fail-open" => Ok(Self::FailOpen),
            "fail-closed" => Ok(Self::FailClosed),
            _ => Err(UnknownRevocations),
        }
    }
}

/// The text is not the name of a [`Revocations`].
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("write off, fail-open or fail-closed")]
pub struct UnknownRevocations;

/// The deny list of one issuer, in memory.
#[derive(Debug)]
pub(crate) struct DenyList {
    server: Arc<AuthorizationServer>,
    clock: Clock,
    policy: Revocations,
    /// The issuer's keys, which are fetched again when one of them is withdrawn.
    keys: Arc<KeyCache>,
    state: Mutex<State>,
}

/// The identifiers by which a token can be revoked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Revocable<'a> {
    /// Its `jti`, which may start with a grant id and a dot.
    pub(crate) token_id: &'a str,
    /// The `kid` of the key that signed it. `None` for an opaque token.
    pub(crate) key_id: Option<&'a str>,
    pub(crate) subject: &'a str,
    pub(crate) client_id: &'a str,
    /// `iat`, in seconds since 1970.
    pub(crate) issued_at: i64,
}

/// What an entry says of the tokens that it names.
#[derive(Clone, Copy, Debug)]
struct Listed {
    /// When the last of them expires. The entry is removed then, so the list is as long as what was
    /// revoked within one token lifetime.
    until: i64,
    /// Tokens that were issued from then on are good: the user or the client was let in again.
    before: i64,
}

type Entries = HashMap<String, Listed>;

#[derive(Debug, Default)]
struct State {
    version: i64,
    /// Revoked tokens and grants.
    tokens: Entries,
    /// Withdrawn keys, by `kid`.
    keys: Entries,
    /// Users who were shut out, by `sub`.
    subjects: Entries,
    /// Blocked clients, by the hash of their `client_id`.
    clients: Entries,
    known_at: Option<Instant>,
    is_failing: bool,
    last_caller: Option<Instant>,
    /// The number of polls by the running task. `None` while no task runs.
    polls: Option<watch::Receiver<u64>>,
}

/// One page of the deny list.
#[derive(Debug, Deserialize)]
struct Page {
    version: i64,
    revoked: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    id: String,
    until: i64,
    before: Option<i64>,
}

impl DenyList {
    pub(crate) fn new(
        server: Arc<AuthorizationServer>,
        policy: Revocations,
        keys: Arc<KeyCache>,
        clock: Clock,
    ) -> Arc<Self> {
        Arc::new(Self { server, clock, policy, keys, state: Mutex::default() })
    }

    /// Refuses a token that was revoked by its `jti`, its grant, its key, its user or its client.
    pub(crate) async fn check(self: &Arc<Self>, token: Revocable<'_>) -> Result<(), Refusal> {
        if self.policy == Revocations::Off {
            return Ok(());
        }
        let mut polls = {
            let mut state = self.state();
            let polls = self.follow(&mut state);
            if *polls.borrow() > 0 {
                return state.check(token, self.policy);
            }
            polls.clone()
        };
        // If the task has ended, what is known so far decides.
        let _ = polls.wait_for(|polls| *polls > 0).await;
        self.state().check(token, self.policy)
    }

    /// Whether a token is known to be revoked. This counts as a call, so an open stream keeps the
    /// polling alive.
    pub(crate) fn has_revoked(self: &Arc<Self>, token: Revocable<'_>) -> bool {
        if self.policy == Revocations::Off {
            return false;
        }
        let mut state = self.state();
        self.follow(&mut state);
        state.lists_key(token) || state.lists(token)
    }

    /// The polls of the running task, which is started if there is none.
    fn follow<'a>(self: &Arc<Self>, state: &'a mut State) -> &'a watch::Receiver<u64> {
        state.last_caller = Some(Instant::now());
        state.polls.take_if(|polls| polls.has_changed().is_err());
        state.polls.get_or_insert_with(|| {
            let (polled, polls) = watch::channel(0);
            tokio::spawn(self.clone().poll(polled));
            polls
        })
    }

    async fn poll(self: Arc<Self>, polled: watch::Sender<u64>) {
        while self.has_callers() {
            let outcome = self.catch_up().await;
            self.report(outcome);
            polled.send_modify(|polls| *polls += 1);
            sleep(POLL_INTERVAL).await;
        }
    }

    /// Reads pages until there is nothing new.
    async fn catch_up(&self) -> Result<(), FetchError> {
        for _ in 0..MAX_PAGES {
            let version = self.state().version;
            let page = self.fetch_page(version).await?;
            let is_latest = page.is_none();
            for key_id in page.iter().flat_map(Page::keys) {
                self.keys.withdraw(key_id);
            }
            self.state().merge(page, self.clock.now());
            if is_latest {
                break;
            }
        }
        Ok(())
    }

    /// Logs the start and the end of an outage, not every failed poll.
    fn report(&self, outcome: Result<(), FetchError>) {
        let was_failing = std::mem::replace(&mut self.state().is_failing, outcome.is_err());
        match outcome {
            Ok(()) if was_failing => tracing::info!("the deny list can be fetched again"),
            Ok(()) => {}
            Err(error) => {
                self.server.forget();
                if !was_failing {
                    tracing::warn!(cause = %error, "the deny list cannot be fetched");
                }
            }
        }
    }

    /// The page after `version`. `None` if there is none, or if the issuer has no deny list and
    /// none is required.
    async fn fetch_page(&self, version: i64) -> Result<Option<Page>, FetchError> {
        let metadata = self.server.metadata().await?;
        let endpoint = match &metadata.revocations_endpoint {
            Some(endpoint) => endpoint,
            None if self.policy == Revocations::FailOpen => return Ok(None),
            None => return Err(FetchError::Unusable("the issuer has no deny list to follow")),
        };
        let request = self.server.http.get(endpoint).query(&[("after", version)]);
        let answer = request.header(IF_NONE_MATCH, format!("\"{version}\"")).send().await?;
        match answer.status() {
            StatusCode::NOT_MODIFIED => Ok(None),
            _ => serde_json::from_slice(&body(answer).await?)
                .map(Some)
                .map_err(|_| FetchError::Unusable("the deny list is not usable")),
        }
    }

    /// Whether the task must go on. If not, the next caller starts a new one.
    fn has_callers(&self) -> bool {
        let mut state = self.state();
        let has_callers = state.last_caller.is_some_and(|at| at.elapsed() < IDLE_TIMEOUT);
        if !has_callers {
            state.polls = None;
        }
        has_callers
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Page {
    /// The `kid`s of withdrawn keys.
    fn keys(&self) -> impl Iterator<Item = &str> {
        self.revoked.iter().filter_map(|entry| entry.id.strip_prefix(KEY_PREFIX))
    }
}

impl State {
    fn check(&self, token: Revocable<'_>, policy: Revocations) -> Result<(), Refusal> {
        if self.lists_key(token) {
            Err(Refusal::KeyWithdrawn)
        } else if self.lists(token) {
            Err(Refusal::Revoked)
        } else if policy == Revocations::FailClosed && !self.is_recent() {
            Err(Refusal::RevocationsUnknown)
        } else {
            Ok(())
        }
    }

    fn lists(&self, token: Revocable<'_>) -> bool {
        let grant = token.token_id.split_once('.').map(|(grant, _)| grant);
        self.tokens.contains_key(token.token_id)
            || grant.is_some_and(|grant| self.tokens.contains_key(grant))
            || self.lists_party(token)
    }

    fn lists_key(&self, token: Revocable<'_>) -> bool {
        token.key_id.is_some_and(|key_id| self.keys.contains_key(key_id))
    }

    /// Whether the user or the client of the token was shut out after it was issued.
    fn lists_party(&self, token: Revocable<'_>) -> bool {
        let is_over = |listed: &Listed| token.issued_at < listed.before;
        // Few clients are ever blocked, and a hash costs more than the other questions.
        let client = || self.clients.get(&URL_SAFE_NO_PAD.encode(sha256(token.client_id)));
        self.subjects.get(token.subject).is_some_and(is_over)
            || (!self.clients.is_empty() && client().is_some_and(is_over))
    }

    fn all(&mut self) -> [&mut Entries; 4] {
        [&mut self.tokens, &mut self.keys, &mut self.subjects, &mut self.clients]
    }

    fn is_recent(&self) -> bool {
        self.known_at.is_some_and(|at| at.elapsed() < MAX_AGE)
    }

    /// Merges a page. A version lower than the known one means that the issuer has a new database,
    /// so the old entries no longer count.
    fn merge(&mut self, page: Option<Page>, now: i64) {
        self.known_at = Some(Instant::now());
        if let Some(page) = page {
            if page.version < self.version {
                self.all().into_iter().for_each(Entries::clear);
            }
            self.version = page.version;
            for Entry { id, until, before } in page.revoked {
                let listed = Listed { until, before: before.unwrap_or(i64::MAX) };
                let (entries, name) = self.place(&id);
                entries.insert(name.to_owned(), listed);
            }
        }
        for entries in self.all() {
            entries.retain(|_, listed| now < listed.until);
        }
    }

    /// Where an entry belongs, and under which name.
    fn place<'a>(&mut self, id: &'a str) -> (&mut Entries, &'a str) {
        if let Some(key_id) = id.strip_prefix(KEY_PREFIX) {
            (&mut self.keys, key_id)
        } else if let Some(subject) = id.strip_prefix(SUBJECT_PREFIX) {
            (&mut self.subjects, subject)
        } else if let Some(client) = id.strip_prefix(CLIENT_PREFIX) {
            (&mut self.clients, client)
        } else {
            (&mut self.tokens, id)
        }
    }
}
