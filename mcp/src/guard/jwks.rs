//! The authorization server's keys, fetched rarely and kept through outages.

use std::sync::{Arc, PoisonError, RwLock};

use keys::KeySet;
use reqwest::{
    StatusCode,
    header::{CACHE_CONTROL, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH},
};
use tokio::sync::{Mutex, MutexGuard};

use super::{
    authorization_server::{AuthorizationServer, FetchError, bounded},
    error::BearerError,
};
use crate::clock::Clock;

/// Seconds between two fetches that an unknown `kid` may cause, so that a storm of them causes one.
const COOL_DOWN: i64 = 10;
/// Seconds that keys are used past their freshness while the authorization server is down.
const LONGEST_OUTAGE: i64 = 24 * 3600;
/// Seconds that keys are fresh when the answer does not say.
const DEFAULT_MAX_AGE: i64 = 300;
/// Bounds of what an answer may say.
const MAX_AGE_BOUNDS: (i64, i64) = (10, 24 * 3600);

/// One key set in memory, shared by all requests.
#[derive(Debug)]
pub(super) struct KeyCache {
    server: Arc<AuthorizationServer>,
    clock: Clock,
    held: RwLock<Held>,
    /// Held while a fetch is under way, so that there is only one; the time of the last.
    last_attempt: Mutex<Option<i64>>,
}

#[derive(Clone, Debug, Default)]
struct Held {
    keys: Arc<KeySet>,
    etag: Option<HeaderValue>,
    fetched_at: i64,
    fresh_until: i64,
}

impl KeyCache {
    pub(super) fn new(server: Arc<AuthorizationServer>, clock: Clock) -> Arc<Self> {
        Arc::new(Self { server, clock, held: RwLock::default(), last_attempt: Mutex::new(None) })
    }

    /// A key set, with the key `kid` in it if the authorization server has one. Usually this
    /// waits for nothing.
    pub(super) async fn holding(self: &Arc<Self>, kid: &str) -> Result<Arc<KeySet>, BearerError> {
        let (held, now) = (self.held(), self.clock.now());
        if held.keys.contains(kid) && now < held.fresh_until {
            self.refresh_ahead(&held, now);
            return Ok(held.keys);
        }
        self.fetch_unless_recent(kid).await;
        let held = self.held();
        match held.keys.keys().is_empty() || now >= held.fresh_until + LONGEST_OUTAGE {
            true => Err(BearerError::NoKeys),
            false => Ok(held.keys),
        }
    }

    /// In the last quarter of their freshness, keys are fetched anew while requests go on.
    fn refresh_ahead(self: &Arc<Self>, held: &Held, now: i64) {
        let ahead = held.fresh_until - (held.fresh_until - held.fetched_at) / 4;
        if now >= ahead && self.last_attempt.try_lock().is_ok_and(|last| may_fetch(&last, now)) {
            let cache = self.clone();
            tokio::spawn(async move {
                let last = cache.last_attempt.lock().await;
                cache.fetch(last).await;
            });
        }
    }

    /// Fetches, unless somebody else just did: whoever waited for the lock looks again first.
    async fn fetch_unless_recent(&self, kid: &str) {
        let last = self.last_attempt.lock().await;
        let (held, now) = (self.held(), self.clock.now());
        let settled = held.keys.contains(kid) && now < held.fresh_until;
        if !settled && may_fetch(&last, now) {
            self.fetch(last).await;
        }
    }

    async fn fetch(&self, mut last: MutexGuard<'_, Option<i64>>) {
        let now = self.clock.now();
        *last = Some(now);
        match self.fetch_keys(now).await {
            Ok(held) => *self.held.write().unwrap_or_else(PoisonError::into_inner) = held,
            Err(error) => tracing::warn!(cause = %error, "the keys cannot be fetched"),
        }
    }

    async fn fetch_keys(&self, now: i64) -> Result<Held, FetchError> {
        let held = self.held();
        let mut request = self.server.http.get(&self.server.metadata().await?.jwks_uri);
        if let Some(etag) = &held.etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let answer = request.send().await?;
        let fresh_until = now + max_age(answer.headers());
        if answer.status() == StatusCode::NOT_MODIFIED {
            return Ok(Held { fetched_at: now, fresh_until, ..held });
        }
        if !answer.status().is_success() {
            return Err(FetchError::Status(answer.status().as_u16()));
        }
        let etag = answer.headers().get(ETAG).cloned();
        let keys = KeySet::from_json(&bounded(answer).await?)
            .map_err(|_| FetchError::Unusable("the key set is not usable"))?;
        match keys.keys().is_empty() {
            true => Err(FetchError::Unusable("the key set is empty")),
            false => Ok(Held { keys: Arc::new(keys), etag, fetched_at: now, fresh_until }),
        }
    }

    fn held(&self) -> Held {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn may_fetch(last: &Option<i64>, now: i64) -> bool {
    last.is_none_or(|last| now.saturating_sub(last) >= COOL_DOWN)
}

fn max_age(headers: &HeaderMap) -> i64 {
    let text = headers.get(CACHE_CONTROL).and_then(|value| value.to_str().ok());
    let directive = text.into_iter().flat_map(|text| text.split(','));
    let seconds = directive
        .filter_map(|directive| directive.trim().strip_prefix("max-age="))
        .find_map(|seconds| seconds.parse().ok());
    seconds.unwrap_or(DEFAULT_MAX_AGE).clamp(MAX_AGE_BOUNDS.0, MAX_AGE_BOUNDS.1)
}
