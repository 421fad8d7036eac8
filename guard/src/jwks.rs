//! A cache of an issuer's keys, which are fetched rarely and kept during outages.

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

/// Seconds between two fetches, however many unknown `kid`s come.
const FETCH_INTERVAL: u64 = 10;
/// The same after a failed fetch.
const FETCH_INTERVAL_AFTER_FAILURE: u64 = 2;
/// The same while the cached set contains a withdrawn key. Its issuer is about to publish another.
const FETCH_INTERVAL_WHILE_OUTDATED: u64 = 1;
/// Seconds for which stale keys are used while the authorization server is down.
const MAX_STALENESS: i64 = 24 * 3600;
/// Seconds for which keys are fresh if the response does not say.
const DEFAULT_MAX_AGE: i64 = 300;
/// Limits on the `max-age` of a response.
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
    /// Keys that are no longer trusted. A set that contains one is outdated.
    withdrawn: HashSet<String>,
    /// Closed when the running fetch ends.
    running: Option<watch::Receiver<()>>,
}

#[derive(Clone, Debug, Default)]
struct Held {
    keys: Arc<PublishedKeys>,
    etag: Option<HeaderValue>,
}

#[derive(Clone, Copy, Debug)]
struct Attempt {
    /// When it started if it succeeded, or ended if it failed.
    at: i64,
    succeeded: bool,
}

/// What a lookup demands of the cache.
enum Need {
    Nothing,
    /// A fetch in the background.
    Refresh,
    Fetch,
}

impl KeyCache {
    pub(crate) fn new(server: Arc<AuthorizationServer>, clock: Clock) -> Arc<Self> {
        Arc::new(Self { server, clock, state: Mutex::default() })
    }

    /// The key set, which contains the key `kid` if the issuer has it. Usually does not wait.
    pub(crate) async fn holding(
        self: &Arc<Self>,
        kid: &str,
    ) -> Result<Arc<PublishedKeys>, Refusal> {
        let now = self.clock.now();
        let need = {
            let state = self.state();
            match state.need(kid, now) {
                Need::Nothing => return state.keys_for(kid, now),
                need => need,
            }
        };
        match need {
            Need::Nothing => {}
            Need::Refresh => drop(self.fetch(now)),
            Need::Fetch => {
                if let Some(mut running) = self.fetch(now) {
                    // The sender is dropped when the fetch ends, and sends nothing.
                    let _ = running.changed().await;
                }
            }
        }
        self.state().keys_for(kid, self.clock.now())
    }

    /// Fetches the set again until it no longer contains `kid`. The deny list already refuses tokens
    /// of that key; the fetches are for tokens of its successor.
    pub(crate) fn withdraw(self: &Arc<Self>, kid: &str) {
        if !self.state().withdraw(kid) {
            return;
        }
        tracing::warn!(kid, "a key was withdrawn");
        drop(self.fetch(self.clock.now()));
    }

    /// The running fetch, or a new one unless the last has just ended. It is a task of its own, so a
    /// caller who disconnects cannot cancel it for all others.
    fn fetch(self: &Arc<Self>, now: i64) -> Option<watch::Receiver<()>> {
        let mut state = self.state();
        if let Some(fetch) = state.running.as_ref().filter(|fetch| fetch.has_changed().is_ok()) {
            return Some(fetch.clone());
        }
        if state.is_cooling_down(now) {
            return None;
        }
        let (end, running) = watch::channel(());
        state.running = Some(running.clone());
        let cache = self.clone();
        tokio::spawn(async move {
            let outcome = cache.fetch_keys().await;
            cache.store(now, outcome);
            drop(end);
        });
        Some(running)
    }

    /// Publishes keys as if they had just been fetched.
    #[cfg(test)]
    pub(crate) fn replace(&self, keys: PublishedKeys) {
        let held = Held { keys: Arc::new(keys), etag: None };
        self.store(self.clock.now(), Ok((held, DEFAULT_MAX_AGE)));
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
            // A cache in between could serve the withdrawn key until it expires there.
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
        let keys = PublishedKeys::from_json_of(self.server.profile, &body(answer).await?)
            .map_err(FetchError::Keys)?;
        if keys.is_empty() {
            return Err(FetchError::Unusable("the key set has no key for an accepted algorithm"));
        }
        Ok((Held { keys: Arc::new(keys), etag }, max_age))
    }

    /// Stores the result. A response is dated by its request, because it may have taken long.
    fn store(&self, asked_at: i64, outcome: Result<(Held, i64), FetchError>) {
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
    /// In the last quarter of their freshness, keys are refreshed in the background. Stale keys are
    /// too, once a fetch has failed.
    fn need(&self, kid: &str, now: i64) -> Need {
        let refresh_at = self.fresh_until - (self.fresh_until - self.fetched_at) / 4;
        let in_outage = self.last_fetch.is_some_and(|last| !last.succeeded) && self.is_usable(now);
        if !self.held.keys.contains(kid) {
            Need::Fetch
        } else if now < refresh_at && !self.is_outdated() {
            Need::Nothing
        } else if now < self.fresh_until || in_outage {
            Need::Refresh
        } else {
            Need::Fetch
        }
    }

    /// The key set. A key that it lacks is unknown only if the set is up to date; otherwise the
    /// issuer may have it.
    fn keys_for(&self, kid: &str, now: i64) -> Result<Arc<PublishedKeys>, Refusal> {
        let has_answered = self.last_fetch.is_some_and(|last| last.succeeded);
        let complete = has_answered && !self.is_outdated();
        if self.is_usable(now) && (complete || self.held.keys.contains(kid)) {
            Ok(self.held.keys.clone())
        } else {
            Err(Refusal::NoKeys)
        }
    }

    /// Notes that a key is no longer trusted. Returns whether that is news about a cached key.
    fn withdraw(&mut self, kid: &str) -> bool {
        self.withdrawn.insert(kid.into()) && self.held.keys.contains(kid)
    }

    fn is_outdated(&self) -> bool {
        self.withdrawn.iter().any(|kid| self.held.keys.contains(kid))
    }

    fn is_cooling_down(&self, now: i64) -> bool {
        let interval = match self.last_fetch {
            None => return false,
            Some(_) if self.is_outdated() => FETCH_INTERVAL_WHILE_OUTDATED,
            Some(last) if last.succeeded => FETCH_INTERVAL,
            Some(_) => FETCH_INTERVAL_AFTER_FAILURE,
        };
        self.last_fetch.is_some_and(|last| now.abs_diff(last.at) < interval)
    }

    fn is_usable(&self, now: i64) -> bool {
        now < self.fresh_until.saturating_add(MAX_STALENESS)
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
