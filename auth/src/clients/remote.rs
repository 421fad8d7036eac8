//! A cache of documents at foreign addresses, with the rules of a shared HTTP cache: concurrent requests
//! share one fetch, and a stale document is used while its origin cannot be reached.

use std::sync::Arc;

use http::HeaderValue;
use moka::future::Cache;
use net::clock::Clock;
use thiserror::Error;
use url::Url;

use super::guarded_fetch::{FetchError, Fetched, GuardedFetch};

/// Documents kept; the least used are evicted first.
const MAX_DOCUMENTS: u64 = 10_000;
/// Seconds that a stale document is used while its origin cannot be reached.
const MAX_OUTAGE: i64 = 86_400;
/// Seconds between two attempts during an outage.
const RETRY_INTERVAL: i64 = 30;

/// Why there is no document. Requests that waited for the same fetch share it.
#[derive(Clone, Debug, Error)]
pub(super) enum RemoteError {
    /// It could not be fetched.
    #[error(transparent)]
    Fetch(Arc<FetchError>),
    /// Its content is not usable: a reason code, and what is wrong.
    #[error("{1}")]
    Unusable(&'static str, String),
}

impl RemoteError {
    /// Whether another attempt may succeed.
    pub(super) fn is_outage(&self) -> bool {
        matches!(self, Self::Fetch(error) if error.is_outage())
    }
}

/// Documents of one kind, each parsed into a `T` once. Clones share one cache.
#[derive(Clone, Debug)]
pub(super) struct Remote<T: Send + Sync + 'static> {
    fetch: GuardedFetch,
    clock: Clock,
    max_bytes: usize,
    read: fn(&str, &[u8]) -> Result<T, RemoteError>,
    /// A failure is kept only for the requests that wait for the same fetch; later ones fetch again.
    kept: Cache<String, Result<Arc<Kept<T>>, RemoteError>>,
}

#[derive(Debug)]
struct Kept<T> {
    value: Arc<T>,
    etag: Option<HeaderValue>,
    fetched_at: i64,
    fresh_until: i64,
    survives_until: i64,
}

impl<T: Send + Sync + 'static> Remote<T> {
    /// Documents of at most `max_bytes`; `read` gets the address and the bytes.
    pub(super) fn new(
        fetch: GuardedFetch,
        clock: Clock,
        max_bytes: usize,
        read: fn(&str, &[u8]) -> Result<T, RemoteError>,
    ) -> Self {
        Self { fetch, clock, max_bytes, read, kept: Cache::new(MAX_DOCUMENTS) }
    }

    /// The document at `url`. If it is not cached, its fetch counts for the visitor's network. Cached
    /// documents stay up to date however busy a network is.
    pub(super) async fn get(
        &self,
        url: &Url,
        network: Option<&str>,
    ) -> Result<Arc<T>, RemoteError> {
        self.newer_than(url, i64::MIN, network).await
    }

    /// The document at `url`, fetched again if it was fetched before `moment`.
    pub(super) async fn newer_than(
        &self,
        url: &Url,
        moment: i64,
        network: Option<&str>,
    ) -> Result<Arc<T>, RemoteError> {
        let now = self.clock.now();
        let known = self.kept.get(url.as_str()).await.and_then(Result::ok);
        let is_outdated = |kept: &Result<Arc<Kept<T>>, RemoteError>| match kept {
            Ok(kept) => kept.fresh_until <= now || kept.fetched_at < moment,
            Err(_) => true,
        };
        let entry = self.kept.entry_by_ref(url.as_str());
        let outcome =
            entry.or_insert_with_if(self.renew(url, known, now, network), is_outdated).await;
        outcome.into_value().map(|kept| kept.value.clone())
    }

    async fn renew(
        &self,
        url: &Url,
        known: Option<Arc<Kept<T>>>,
        now: i64,
        network: Option<&str>,
    ) -> Result<Arc<Kept<T>>, RemoteError> {
        let etag = known.as_ref().and_then(|known| known.etag.clone());
        let counted = network.filter(|_| known.is_none());
        let admitted = counted.map_or(Ok(()), |network| self.fetch.admit_visitor(network, now));
        let fetched = match admitted {
            Ok(()) => self.fetch.fetch(url, self.max_bytes, etag, now).await,
            Err(error) => Err(error),
        };
        match &fetched {
            Ok(fetched) => {
                let changed = fetched.body.is_some();
                tracing::debug!(%url, changed, fresh_for = fetched.freshness.lifetime, "fetched");
            }
            Err(error) => tracing::debug!(%url, %error, "not fetched"),
        }
        match (fetched, known) {
            (Ok(fetched), known) => self.keep(url, fetched, known, now).map(Arc::new),
            (Err(error), Some(known)) if error.is_outage() && now < known.survives_until => {
                tracing::warn!(%url, %error, "used a stale document because its origin cannot be reached");
                Ok(Arc::new(Kept {
                    value: known.value.clone(),
                    etag: known.etag.clone(),
                    fetched_at: now,
                    fresh_until: now + RETRY_INTERVAL,
                    survives_until: known.survives_until,
                }))
            }
            (Err(error), _) => Err(RemoteError::Fetch(Arc::new(error))),
        }
    }

    fn keep(
        &self,
        url: &Url,
        fetched: Fetched,
        known: Option<Arc<Kept<T>>>,
        now: i64,
    ) -> Result<Kept<T>, RemoteError> {
        let value = match (fetched.body, known) {
            (Some(body), _) => Arc::new((self.read)(url.as_str(), &body)?),
            (None, Some(known)) => known.value.clone(),
            (None, None) => {
                let error =
                    FetchError::Unusable("it says that an unknown document has not changed".into());
                return Err(RemoteError::Fetch(Arc::new(error)));
            }
        };
        let fresh_until = now.saturating_add(fetched.freshness.lifetime);
        let outage = if fetched.freshness.survives_outage { MAX_OUTAGE } else { 0 };
        Ok(Kept {
            value,
            etag: fetched.etag,
            fetched_at: now,
            fresh_until,
            survives_until: fresh_until.saturating_add(outage),
        })
    }
}
