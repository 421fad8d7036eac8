//! What the authorization server has revoked lately. Signed tokens are good until they expire; this
//! list cuts them short without a question per request.
//!
//! While there are callers, one task asks for what was added, about once a second. A request looks
//! into memory; only the first after a pause waits for the list.

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use net::clock::Clock;
use reqwest::{StatusCode, header::IF_NONE_MATCH};
use serde::Deserialize;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use crate::{
    authorization_server::{AuthorizationServer, FetchError, body},
    jwks::KeyCache,
    refusal::Refusal,
};

/// From one question to the next.
const PERIOD: Duration = Duration::from_secs(1);
/// How old the list may be where it must be known: a few questions may fail.
const LONGEST_LAG: Duration = Duration::from_secs(4);
/// After the last caller, the list is no longer followed.
const IDLE: Duration = Duration::from_secs(60);
/// Most pages of one turn; the next turn goes on.
const MOST_PAGES: usize = 20;
/// What stands before the `kid` of a key that was withdrawn: all its tokens are meant. No `jti` of a
/// grant begins so.
const KEY: &str = "kid:";

/// What the guard makes of the authorization server's deny list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Revocations {
    /// It is not followed: a signed token is good until it expires.
    Off,
    /// It is followed; while it cannot be had, tokens are good as far as is known.
    #[default]
    FailOpen,
    /// It is followed; while it cannot be had, no token is good.
    FailClosed,
}

/// The deny list of one issuer, in memory.
#[derive(Debug)]
pub(crate) struct DenyList {
    server: Arc<AuthorizationServer>,
    clock: Clock,
    policy: Revocations,
    /// The issuer's keys, which are fetched anew when one of them is withdrawn.
    keys: Arc<KeyCache>,
    state: Mutex<State>,
}

/// By what names a token can be revoked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Revocable<'a> {
    /// Its `jti`, with the grant in front of it.
    pub(crate) token_id: &'a str,
    /// The `kid` of the key that signed it; none for an opaque one.
    pub(crate) key_id: Option<&'a str>,
}

#[derive(Debug, Default)]
struct State {
    version: i64,
    /// What is revoked, and until when a token of it could be about. What is over is dropped, so
    /// the list is as long as what was revoked within one token life.
    until: HashMap<String, i64>,
    known_at: Option<Instant>,
    is_failing: bool,
    last_caller: Option<Instant>,
    /// The number of turns that the task has taken; `None` while nobody follows.
    turns: Option<watch::Receiver<u64>>,
}

/// The answer of the authorization server.
#[derive(Debug, Deserialize)]
struct Answer {
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

    /// Refuses a token that was revoked: by its `jti`, by the grant in front of it, or with all
    /// that its key has signed.
    pub(crate) async fn check(self: &Arc<Self>, token: Revocable<'_>) -> Result<(), Refusal> {
        if self.policy == Revocations::Off {
            return Ok(());
        }
        // An end of the task is an outage like any other: what is known decides.
        let _ = self.follow().wait_for(|turns| *turns > 0).await;
        let state = self.state();
        match self.policy {
            _ if state.lists_key(token) => Err(Refusal::KeyWithdrawn),
            _ if state.lists(token) => Err(Refusal::Revoked),
            Revocations::FailClosed if !state.is_known() => Err(Refusal::RevocationsUnknown),
            _ => Ok(()),
        }
    }

    /// Whether a token that was good has been revoked since, as far as is known. Whoever asks counts
    /// as a caller, so an open stream keeps the list followed.
    pub(crate) fn has_revoked(self: &Arc<Self>, token: Revocable<'_>) -> bool {
        self.policy != Revocations::Off && {
            self.follow();
            let state = self.state();
            state.lists_key(token) || state.lists(token)
        }
    }

    /// The turns of the task that follows the list; it is started if there is none.
    fn follow(self: &Arc<Self>) -> watch::Receiver<u64> {
        let mut state = self.state();
        state.last_caller = Some(Instant::now());
        match &state.turns {
            Some(turns) if turns.has_changed().is_ok() => turns.clone(),
            _ => {
                let (turn, turns) = watch::channel(0);
                state.turns = Some(turns.clone());
                tokio::spawn(self.clone().go_on(turn));
                turns
            }
        }
    }

    async fn go_on(self: Arc<Self>, turn: watch::Sender<u64>) {
        while self.has_callers() {
            let outcome = self.catch_up().await;
            self.settle(outcome);
            turn.send_modify(|turns| *turns += 1);
            sleep(PERIOD).await;
        }
    }

    /// Asks until there is nothing new.
    async fn catch_up(&self) -> Result<(), FetchError> {
        for _ in 0..MOST_PAGES {
            let version = self.state().version;
            let answer = self.ask(version).await?;
            let is_latest = answer.is_none();
            for key_id in answer.iter().flat_map(Answer::keys) {
                self.keys.withdraw(key_id);
            }
            self.state().take(answer, self.clock.now());
            if is_latest {
                break;
            }
        }
        Ok(())
    }

    /// An outage is logged when it begins and when it ends, not once a second.
    fn settle(&self, outcome: Result<(), FetchError>) {
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

    /// What came after `version`; `None` if nothing did, or if the issuer has no such list and
    /// none is demanded.
    async fn ask(&self, version: i64) -> Result<Option<Answer>, FetchError> {
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

    /// Whether the list is still needed. Once it is not, the next caller starts anew.
    fn has_callers(&self) -> bool {
        let mut state = self.state();
        let has_callers = state.last_caller.is_some_and(|at| at.elapsed() < IDLE);
        if !has_callers {
            state.turns = None;
        }
        has_callers
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answer {
    /// The keys that were withdrawn.
    fn keys(&self) -> impl Iterator<Item = &str> {
        self.revoked.iter().filter_map(|entry| entry.id.strip_prefix(KEY))
    }
}

impl State {
    fn lists(&self, token: Revocable<'_>) -> bool {
        let grant = token.token_id.split_once('.').map(|(grant, _)| grant);
        self.until.contains_key(token.token_id)
            || grant.is_some_and(|grant| self.until.contains_key(grant))
    }

    fn lists_key(&self, token: Revocable<'_>) -> bool {
        token.key_id.is_some_and(|key_id| self.until.contains_key(&format!("{KEY}{key_id}")))
    }

    fn is_known(&self) -> bool {
        self.known_at.is_some_and(|at| at.elapsed() < LONGEST_LAG)
    }

    /// A version that goes back is another database: what it said before no longer counts.
    fn take(&mut self, answer: Option<Answer>, now: i64) {
        self.known_at = Some(Instant::now());
        if let Some(answer) = answer {
            if answer.version < self.version {
                self.until.clear();
            }
            self.version = answer.version;
            self.until.extend(answer.revoked.into_iter().map(|entry| (entry.id, entry.until)));
        }
        self.until.retain(|_, until| now < *until);
    }
}
