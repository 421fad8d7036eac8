//! Query results that concurrent requests share.

use std::{
    sync::{PoisonError, RwLock},
    time::{Duration, Instant},
};

use tokio::sync::Mutex;

/// The latest result of a query. Requests use it until its TTL has passed; then one of them queries
/// again, and the others wait for that result.
#[derive(Debug)]
pub(crate) struct Coalesced<T> {
    ttl: Duration,
    latest: RwLock<Option<QueryResult<T>>>,
    /// Held by the request that queries.
    query: Mutex<()>,
}

#[derive(Debug)]
struct QueryResult<T> {
    queried_at: Instant,
    /// The server's clock at the query, because the result may depend on it.
    second: i64,
    value: T,
}

impl<T: Clone> Coalesced<T> {
    /// Shares each result for `ttl`.
    pub(crate) fn new(ttl: Duration) -> Self {
        Self { ttl, latest: RwLock::default(), query: Mutex::default() }
    }

    /// The latest result if it is new enough, or else that of `query`, run at the time `now`.
    pub(crate) async fn get(&self, now: i64, query: impl Future<Output = T>) -> T {
        let received_at = Instant::now();
        if let Some(value) = self.fresh(received_at, now) {
            return value;
        }
        let _guard = self.query.lock().await;
        // A query that began after this request was received is new enough, however long it took.
        if let Some(value) = self.fresh(received_at, now) {
            return value;
        }
        let queried_at = Instant::now();
        let value = query.await;
        let result = QueryResult { queried_at, second: now, value: value.clone() };
        *self.latest.write().unwrap_or_else(PoisonError::into_inner) = Some(result);
        value
    }

    /// The latest result, if it is new enough for a request received at that instant.
    fn fresh(&self, received_at: Instant, now: i64) -> Option<T> {
        let latest = self.latest.read().unwrap_or_else(PoisonError::into_inner);
        let result = latest.as_ref().filter(|result| {
            result.second == now
                && received_at.saturating_duration_since(result.queried_at) < self.ttl
        });
        result.map(|result| result.value.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::pending,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn concurrent_requests_share_one_query_and_its_failure() {
        let coalesced = Coalesced::<Result<(), &str>>::new(HOUR);
        let queries = AtomicUsize::new(0);
        let get = async || {
            let query = async {
                queries.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                Err("down")
            };
            coalesced.get(7, query).await
        };
        let results = tokio::join!(get(), get(), get());
        assert_eq!(results, (Err("down"), Err("down"), Err("down")));
        assert_eq!(queries.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_result_is_replaced_when_its_ttl_has_passed_or_the_clock_has_moved() {
        let coalesced = Coalesced::new(HOUR);
        assert_eq!(coalesced.get(7, async { 1 }).await, 1);
        assert_eq!(coalesced.get(7, async { 2 }).await, 1);
        assert_eq!(coalesced.get(8, async { 3 }).await, 3);
        let coalesced = Coalesced::new(Duration::ZERO);
        assert_eq!(coalesced.get(7, async { 1 }).await, 1);
        assert_eq!(coalesced.get(7, async { 2 }).await, 2);
    }

    #[tokio::test]
    async fn a_request_cancelled_during_its_query_lets_the_next_one_query() {
        let coalesced = Coalesced::new(HOUR);
        let cancelled = tokio::time::timeout(Duration::ZERO, coalesced.get(7, pending())).await;
        assert!(cancelled.is_err());
        assert_eq!(coalesced.get(7, async { 1 }).await, 1);
    }
}
