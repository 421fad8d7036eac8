//! The deny list of an issuer: tokens, grants and keys that it revoked recently. It ends the validity
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
}

#[derive(Debug, Default)]
struct State {
    version: i64,
    /// Revoked identifiers, and the time when the last of their tokens expires. Expired entries are
    /// removed, so the list is as long as what was revoked within one token lifetime.
    until: HashMap<String, i64>,
    /// The same for the `kid`s of withdrawn keys.
    keys_until: HashMap<String, i64>,
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

    /// Refuses a token that was revoked by its `jti`, its grant or its key.
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
        self.until.contains_key(token.token_id)
            || grant.is_some_and(|grant| self.until.contains_key(grant))
    }

    fn lists_key(&self, token: Revocable<'_>) -> bool {
        token.key_id.is_some_and(|key_id| self.keys_until.contains_key(key_id))
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
                self.until.clear();
                self.keys_until.clear();
            }
            self.version = page.version;
            for Entry { id, until } in page.revoked {
                match id.strip_prefix(KEY_PREFIX) {
                    Some(key_id) => self.keys_until.insert(key_id.to_owned(), until),
                    None => self.until.insert(id, until),
                };
            }
        }
        self.until.retain(|_, until| now < *until);
        self.keys_until.retain(|_, until| now < *until);
    }
}
