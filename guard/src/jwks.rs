//! The authorization server's keys, fetched rarely and kept through outages.

#[cfg(test)]
mod tests;

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use keys::PublishedKeys;
use net::clock::Clock;
use reqwest::{
    StatusCode,
    header::{CACHE_CONTROL, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH},
};
use tokio::sync::watch;

use crate::{
    authorization_server::{AuthorizationServer, FetchError, body},
    refusal::Refusal,
};

/// Seconds from one fetch to the next, so that a storm of unknown `kid`s causes one.
const COOL_DOWN: u64 = 10;
/// The same after a fetch that failed.
const COOL_DOWN_AFTER_FAILURE: u64 = 2;
/// The same while a key is held that was withdrawn: its issuer is about to publish others.
const COOL_DOWN_WHILE_OUTDATED: u64 = 1;
/// Seconds that keys are used past their freshness while the authorization server is down.
const LONGEST_OUTAGE: i64 = 24 * 3600;
/// Seconds that keys are fresh when the answer does not say.
const DEFAULT_MAX_AGE: i64 = 300;
/// Bounds of what an answer may say.
const MAX_AGE_BOUNDS: (i64, i64) = (10, 24 * 3600);

/// One key set in memory, shared by all requests.
#[derive(Debug)]
pub(crate) struct KeyCache {
    server: Arc<AuthorizationServer>,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    held: Held,
    fetched_at: i64,
    fresh_until: i64,
    last_fetch: Option<Attempt>,
    /// Keys that are no longer trusted. A set that holds one is out of date.
    withdrawn: HashSet<String>,
    /// Closed when the fetch under way ends.
    under_way: Option<watch::Receiver<()>>,
}

#[derive(Clone, Debug, Default)]
struct Held {
    keys: Arc<PublishedKeys>,
    etag: Option<HeaderValue>,
}

#[derive(Clone, Copy, Debug)]
struct Attempt {
    /// When it was begun, if it succeeded, or else when it had failed.
    at: i64,
    succeeded: bool,
}

/// What a token's key asks of the cache.
enum Need {
    Nothing,
    /// A fetch that nobody waits for.
    Refresh,
    Fetch,
}

impl KeyCache {
    pub(crate) fn new(server: Arc<AuthorizationServer>, clock: Clock) -> Arc<Self> {
        Arc::new(Self { server, clock, state: Mutex::default() })
    }

    /// A key set, with the key `kid` in it if the authorization server has one. Usually this
    /// waits for nothing.
    pub(crate) async fn holding(
        self: &Arc<Self>,
        kid: &str,
    ) -> Result<Arc<PublishedKeys>, Refusal> {
        let now = self.clock.now();
        let need = self.state().need(kid, now);
        match need {
            Need::Nothing => {}
            Need::Refresh => drop(self.fetch(now)),
            Need::Fetch => {
                if let Some(mut under_way) = self.fetch(now) {
                    // The sender sends nothing. It is dropped when the fetch ends.
                    let _ = under_way.changed().await;
                }
            }
        }
        self.state().keys_for(kid, self.clock.now())
    }

    /// Fetches the set anew until it is without the key `kid`, which the deny list names. The list
    /// itself refuses the key's tokens; the fetches are for those of its successor.
    pub(crate) fn withdraw(self: &Arc<Self>, kid: &str) {
        if !self.state().withdraw(kid) {
            return;
        }
        tracing::warn!(kid, "a key was withdrawn");
        drop(self.fetch(self.clock.now()));
    }

    /// The fetch under way, or a new one unless the last has just ended. It does not end with the
    /// request that started it: whoever hangs up must not keep the keys from all others.
    fn fetch(self: &Arc<Self>, now: i64) -> Option<watch::Receiver<()>> {
        let mut state = self.state();
        if let Some(fetch) = state.under_way.as_ref().filter(|fetch| fetch.has_changed().is_ok()) {
            return Some(fetch.clone());
        }
        if state.is_cooling_down(now) {
            return None;
        }
        let (end, under_way) = watch::channel(());
        state.under_way = Some(under_way.clone());
        let cache = self.clone();
        tokio::spawn(async move {
            let outcome = cache.fetch_keys().await;
            cache.settle(now, outcome);
            drop(end);
        });
        Some(under_way)
    }

    async fn fetch_keys(&self) -> Result<(Held, i64), FetchError> {
        let metadata = self.server.metadata().await?;
        let uri = metadata.jwks_uri.as_ref();
        let uri = uri.ok_or(FetchError::Unusable("the metadata names no key set"))?;
        let (held, is_outdated) = {
            let state = self.state();
            (state.held.clone(), state.is_outdated())
        };
        let mut request = self.server.http.get(uri);
        if is_outdated {
            // A cache on the way would give the withdrawn key until its age is over.
            request = request.header(CACHE_CONTROL, "no-cache");
        }
        if let Some(etag) = &held.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let answer = request.send().await?;
        let max_age = max_age(answer.headers());
        if answer.status() == StatusCode::NOT_MODIFIED && held.etag.is_some() {
            return Ok((held, max_age));
        }
        let etag = answer.headers().get(ETAG).cloned();
        let keys = PublishedKeys::from_json(&body(answer).await?).map_err(FetchError::Keys)?;
        if keys.is_empty() {
            return Err(FetchError::Unusable("the key set has no key for ES256, EdDSA or RS256"));
        }
        Ok((Held { keys: Arc::new(keys), etag }, max_age))
    }

    /// An answer is as old as its question: how long it was under way, nobody knows.
    fn settle(&self, asked_at: i64, outcome: Result<(Held, i64), FetchError>) {
        let mut state = self.state();
        match outcome {
            Ok((held, max_age)) => {
                state.last_fetch = Some(Attempt { at: asked_at, succeeded: true });
                state.held = held;
                state.fetched_at = asked_at;
                state.fresh_until = asked_at.saturating_add(max_age);
            }
            Err(error) => {
                state.last_fetch = Some(Attempt { at: self.clock.now(), succeeded: false });
                self.server.forget();
                tracing::warn!(cause = %error, "the keys cannot be fetched");
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// In the last quarter of their freshness, keys are fetched anew while requests go on. So they
    /// are past it, once a fetch has failed.
    fn need(&self, kid: &str, now: i64) -> Need {
        let ageing = self.fresh_until - (self.fresh_until - self.fetched_at) / 4;
        let in_outage = self.last_fetch.is_some_and(|last| !last.succeeded) && self.is_usable(now);
        match self.held.keys.contains(kid) {
            true if now < ageing && !self.is_outdated() => Need::Nothing,
            true if now < self.fresh_until || in_outage => Need::Refresh,
            _ => Need::Fetch,
        }
    }

    /// A key that is not here may only be called unknown if the authorization server said so, in a
    /// set that is up to date.
    fn keys_for(&self, kid: &str, now: i64) -> Result<Arc<PublishedKeys>, Refusal> {
        let has_answered = self.last_fetch.is_some_and(|last| last.succeeded);
        let complete = has_answered && !self.is_outdated();
        match self.is_usable(now) && (complete || self.held.keys.contains(kid)) {
            true => Ok(self.held.keys.clone()),
            false => Err(Refusal::NoKeys),
        }
    }

    /// Notes that a key is no longer trusted; whether it is held, and that was not known.
    fn withdraw(&mut self, kid: &str) -> bool {
        self.withdrawn.insert(kid.into()) && self.held.keys.contains(kid)
    }

    fn is_outdated(&self) -> bool {
        self.withdrawn.iter().any(|kid| self.held.keys.contains(kid))
    }

    fn is_cooling_down(&self, now: i64) -> bool {
        let cool_down = match self.last_fetch {
            None => return false,
            Some(_) if self.is_outdated() => COOL_DOWN_WHILE_OUTDATED,
            Some(last) if last.succeeded => COOL_DOWN,
            Some(_) => COOL_DOWN_AFTER_FAILURE,
        };
        self.last_fetch.is_some_and(|last| now.abs_diff(last.at) < cool_down)
    }

    fn is_usable(&self, now: i64) -> bool {
        now < self.fresh_until.saturating_add(LONGEST_OUTAGE)
    }
}

fn max_age(headers: &HeaderMap) -> i64 {
    let text = headers.get(CACHE_CONTROL).and_then(|value| value.to_str().ok());
    let directive = text.into_iter().flat_map(|text| text.split(','));
    let seconds = directive
        .filter_map(|directive| directive.trim().strip_prefix("max-age="))
        .find_map(|seconds| seconds.parse().ok());
    seconds.unwrap_or(DEFAULT_MAX_AGE).clamp(MAX_AGE_BOUNDS.0, MAX_AGE_BOUNDS.1)
}
