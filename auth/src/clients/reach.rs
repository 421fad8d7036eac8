//! Whether the Internet can be reached, judged by the latest fetches.

use std::sync::atomic::{AtomicI64, Ordering};

/// Seconds that a failed connection counts.
const OUTAGE_TTL: i64 = 600;

/// When an origin was last reached, and when a connection last failed.
#[derive(Debug)]
pub(super) struct Reach {
    reached_at: AtomicI64,
    failed_at: AtomicI64,
}

impl Reach {
    /// Nothing has been tried yet.
    pub(super) fn unknown() -> Self {
        Self { reached_at: AtomicI64::new(i64::MIN), failed_at: AtomicI64::new(i64::MIN) }
    }

    pub(super) fn note_success(&self, now: i64) {
        self.reached_at.store(now, Ordering::Relaxed);
    }

    pub(super) fn note_failure(&self, now: i64) {
        self.failed_at.store(now, Ordering::Relaxed);
    }

    /// Whether connections failed recently and none succeeded. A single bad name does not count while
    /// other origins are reached.
    pub(super) fn is_cut_off(&self, now: i64) -> bool {
        let since = now.saturating_sub(OUTAGE_TTL);
        let is_recent = |time: &AtomicI64| since < time.load(Ordering::Relaxed);
        is_recent(&self.failed_at) && !is_recent(&self.reached_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_internet_is_out_of_reach_while_connections_fail_and_none_succeeds() {
        let reach = Reach::unknown();
        assert!(!reach.is_cut_off(0));
        reach.note_failure(1000);
        assert!(reach.is_cut_off(1000));
        assert!(reach.is_cut_off(1000 + OUTAGE_TTL - 1));
        assert!(!reach.is_cut_off(1000 + OUTAGE_TTL));
        reach.note_failure(2000);
        reach.note_success(2001);
        assert!(!reach.is_cut_off(2001));
        reach.note_failure(2002);
        assert!(!reach.is_cut_off(2002), "another origin was reached a moment ago");
        reach.note_failure(2001 + OUTAGE_TTL);
        assert!(reach.is_cut_off(2001 + OUTAGE_TTL));
    }
}
