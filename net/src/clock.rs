//! The current time, so that tests can set it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// A source of the current time, in whole seconds since 1970-01-01T00:00:00Z. Clones tell the same
/// time.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock for tests that reads `seconds`. It does not advance until the test changes
    /// that, so a test at the exact end of a lifetime cannot miss it.
    pub fn manual(seconds: Arc<AtomicI64>) -> Self {
        Self(Source::Manual(seconds))
    }

    /// The current time, in whole seconds since 1970.
    pub fn now(&self) -> i64 {
        match &self.0 {
            Source::System => system_seconds(),
            Source::Manual(seconds) => seconds.load(Ordering::Relaxed),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the clock that everything else asks")]
fn system_seconds() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_stands_still_until_it_is_set() {
        let seconds = Arc::new(AtomicI64::new(1_000));
        let clock = Clock::manual(seconds.clone());
        assert_eq!(clock.now(), 1_000);
        seconds.fetch_add(60, Ordering::Relaxed);
        assert_eq!(clock.now(), 1_060);
    }
}
