//! How many calls one user may make, through whatever clients.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use guard::Caller;
use net::clock::Clock;

/// Most counts in one minute. Callers beyond are refused until the next.
const MAX_COUNTS: usize = 100_000;
const MINUTE: i64 = 60;

/// A user at an issuer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct User {
    issuer: String,
    subject: String,
}

impl User {
    pub(super) fn new(caller: &Caller) -> Self {
        Self { issuer: caller.issuer.clone(), subject: caller.subject.clone() }
    }
}

/// The calls of this minute, and those in progress.
#[derive(Debug)]
pub(super) struct Limits {
    clock: Clock,
    minute: Mutex<Minute>,
    running: Arc<Mutex<HashMap<User, u32>>>,
}

#[derive(Debug, Default)]
struct Minute {
    number: i64,
    /// By user and rule.
    counts: HashMap<(User, usize), u32>,
}

/// A limit is reached. The number of seconds after which there is room again, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LimitReached(pub(super) i64);

/// A call in progress. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Running {
    user: User,
    running: Arc<Mutex<HashMap<User, u32>>>,
}

impl Limits {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, minute: Mutex::default(), running: Arc::default() }
    }

    /// Counts a call under a rule that allows the user `max` in a minute.
    pub(super) fn count(&self, user: &User, rule: usize, max: u32) -> Result<(), LimitReached> {
        let now = self.clock.now();
        let reached = LimitReached(MINUTE - now.rem_euclid(MINUTE));
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        if minute.number != now.div_euclid(MINUTE) {
            *minute = Minute { number: now.div_euclid(MINUTE), ..Minute::default() };
        }
        let is_full = minute.counts.len() >= MAX_COUNTS;
        let count = match minute.counts.get_mut(&(user.clone(), rule)) {
            Some(count) => count,
            None if is_full => return Err(reached),
            None => minute.counts.entry((user.clone(), rule)).or_default(),
        };
        if *count >= max {
            return Err(reached);
        }
        *count += 1;
        Ok(())
    }

    /// Begins a call. The user may have `max` in progress.
    pub(super) fn begin(&self, user: &User, max: u32) -> Result<Running, LimitReached> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let count = running.get(user).copied().unwrap_or_default();
        if count >= max {
            return Err(LimitReached(1));
        }
        running.insert(user.clone(), count + 1);
        Ok(Running { user: user.clone(), running: self.running.clone() })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        match running.get_mut(&self.user) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(running.remove(&self.user)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    fn user(subject: &str) -> User {
        User { issuer: "https://a.test".into(), subject: subject.into() }
    }

    #[test]
    fn each_user_has_so_many_calls_in_a_minute_by_each_rule() {
        let now = Arc::new(AtomicI64::new(60));
        let limits = Limits::new(Clock::manual(now.clone()));
        let count = |subject, rule| limits.count(&user(subject), rule, 2);
        assert_eq!([count("nick", 1), count("nick", 1)], [Ok(()), Ok(())]);
        now.store(110, Ordering::Relaxed);
        assert_eq!(count("nick", 1), Err(LimitReached(10)));
        assert_eq!([count("nick", 2), count("eve", 1)], [Ok(()), Ok(())]);
        now.store(120, Ordering::Relaxed);
        assert_eq!(count("nick", 1), Ok(()));
    }

    #[test]
    fn when_too_many_are_counted_those_who_are_stay_within_their_share() {
        let limits = Limits::new(Clock::manual(Arc::new(AtomicI64::new(60))));
        for n in 0..MAX_COUNTS {
            assert_eq!(limits.count(&user(&n.to_string()), 1, 2), Ok(()));
        }
        assert_eq!(limits.count(&user("0"), 1, 2), Ok(()));
        assert_eq!(limits.count(&user("another"), 1, 2), Err(LimitReached(60)));
    }

    #[test]
    fn a_call_that_ends_makes_room_and_leaves_nothing_behind() {
        let limits = Limits::new(Clock::manual(Arc::new(AtomicI64::new(60))));
        let first = limits.begin(&user("nick"), 2).unwrap();
        let second = limits.begin(&user("nick"), 2).unwrap();
        assert_eq!(limits.begin(&user("nick"), 2).err(), Some(LimitReached(1)));
        assert!(limits.begin(&user("eve"), 2).is_ok());
        drop(first);
        let third = limits.begin(&user("nick"), 2).unwrap();
        drop((second, third));
        assert!(limits.running.lock().unwrap().is_empty());
    }
}
