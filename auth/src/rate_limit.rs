//! At most so many events in a span of time, for each key: a token bucket without the bucket
//! (GCRA), one number in memory for each key that was busy lately.

use std::sync::{Arc, Mutex, PoisonError};

use moka::sync::Cache;

/// Most keys remembered. Beyond, the least used are forgotten, which errs in their favour.
const MAX_KEYS: u64 = 50_000;

/// A limit. Clones share what they count.
#[derive(Clone, Debug)]
pub(crate) struct RateLimit {
    /// When the key's allowance is whole again, in milliseconds since 1970.
    whole_again: Cache<String, Arc<Mutex<i64>>>,
    /// Milliseconds from one event to the next; `None` is no limit.
    interval: Option<i64>,
    span: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limited {
    /// Seconds until the next event is allowed.
    pub(crate) retry_after: i64,
}

impl RateLimit {
    /// Allows `most` events at once, and as many again in each span of so many seconds; 0 is no limit.
    pub(crate) fn new(most: u32, seconds: u32) -> Self {
        let span = i64::from(seconds) * 1000;
        Self {
            whole_again: Cache::new(MAX_KEYS),
            interval: span.checked_div(most.into()).map(|interval| interval.max(1)),
            span,
        }
    }

    /// Counts an event of `key` at `now`, in seconds since 1970, or refuses it.
    pub(crate) fn admit(&self, key: &str, now: i64) -> Result<(), Limited> {
        // Every event counts.
        self.attempt(key, now, || Err::<(), ()>(())).map(|_| ())
    }

    /// Makes an attempt of which only a failure counts, or refuses it unmade. Attempts of one key
    /// are made one after the other, so that many at once are no way around the limit: they must
    /// be short.
    pub(crate) fn attempt<T, E>(
        &self,
        key: &str,
        now: i64,
        attempt: impl FnOnce() -> Result<T, E>,
    ) -> Result<Result<T, E>, Limited> {
        let Some(interval) = self.interval else { return Ok(attempt()) };
        let now = now.saturating_mul(1000);
        let entry = self.whole_again.entry_by_ref(key).or_default().into_value();
        let mut whole_again = entry.lock().unwrap_or_else(PoisonError::into_inner);
        let next = (*whole_again).max(now).saturating_add(interval);
        let excess = next.saturating_sub(now).saturating_sub(self.span);
        if excess > 0 {
            return Err(Limited { retry_after: excess.saturating_add(999) / 1000 });
        }
        let outcome = attempt();
        if outcome.is_err() {
            *whole_again = next;
        }
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_allowance_is_used_up_and_comes_back() {
        let limit = RateLimit::new(3, 60);
        for _ in 0..3 {
            assert_eq!(limit.admit("a", 1000), Ok(()));
        }
        assert_eq!(limit.admit("a", 1000), Err(Limited { retry_after: 20 }));
        assert_eq!(limit.admit("b", 1000), Ok(()));
        assert_eq!(limit.admit("a", 1020), Ok(()));
        assert_eq!(limit.admit("a", 1020), Err(Limited { retry_after: 20 }));
        assert_eq!(limit.admit("a", 2000), Ok(()));
    }

    #[test]
    fn only_failures_count_and_after_too_many_nothing_is_tried() {
        let limit = RateLimit::new(2, 60);
        for _ in 0..100 {
            assert_eq!(limit.attempt("a", 1000, || Ok::<_, ()>(7)), Ok(Ok(7)));
        }
        for _ in 0..2 {
            assert_eq!(limit.attempt("a", 1000, || Err::<(), _>(8)), Ok(Err(8)));
        }
        let tried = || -> Result<(), ()> { panic!("it was tried") };
        assert_eq!(limit.attempt("a", 1000, tried), Err(Limited { retry_after: 30 }));
        assert_eq!(limit.attempt("a", 1030, || Ok::<_, ()>(7)), Ok(Ok(7)));
    }

    #[test]
    fn a_refused_event_costs_nothing() {
        let limit = RateLimit::new(1, 10);
        assert_eq!(limit.admit("a", 0), Ok(()));
        for _ in 0..100 {
            assert_eq!(limit.admit("a", 5), Err(Limited { retry_after: 5 }));
        }
        assert_eq!(limit.admit("a", 10), Ok(()));
    }
}
