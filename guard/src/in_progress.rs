//! Limits what one caller may have in progress at once.
//!
//! A request holds a connection, memory and a task until it is answered, and a stream for as long
//! as the client listens. Without limits, one signed-in client could take every connection of the
//! server.

use std::{
    collections::HashMap,
    hash::Hash,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

use crate::{
    caller::{Caller, Owner, User},
    refusal::Refusal,
};

/// Most that one caller may have in progress: requests that are being read, served or answered,
/// streams on which it listens, and bytes in bodies, which is eight of the largest bodies.
const MAX: Usage = Usage { requests: 128, streams: 32, body_bytes: 32 << 20 };
/// All clients of one user together may have this many times the share of one. A user may have
/// several clients, but must not escape the limits by registering many.
pub(crate) const SHARES_PER_USER: usize = 4;

/// What callers have in progress.
#[derive(Debug)]
pub(crate) struct InProgress {
    max: Usage,
    used: Arc<Mutex<Used>>,
}

/// What a request, a caller or a user has in progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Usage {
    requests: usize,
    streams: usize,
    body_bytes: usize,
}

/// What is in progress, by caller and by user. Those with nothing in progress have no entry.
#[derive(Debug, Default)]
struct Used {
    by_caller: HashMap<Owner, Usage>,
    by_user: HashMap<User, Usage>,
}

/// What one request holds until it is answered. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Held {
    owner: Owner,
    usage: Usage,
    max: Usage,
    used: Arc<Mutex<Used>>,
}

impl Default for InProgress {
    fn default() -> Self {
        Self { max: MAX, used: Arc::default() }
    }
}

impl InProgress {
    /// Nothing yet, for a request of this caller.
    pub(crate) fn nothing(&self, caller: &Caller) -> Held {
        let used = self.used.clone();
        Held { owner: caller.owner(), usage: Usage::default(), max: self.max, used }
    }

    /// Counts a new request, or refuses it if the caller has too many.
    pub(crate) fn begin(&self, caller: &Caller) -> Result<Held, Refusal> {
        let mut held = self.nothing(caller);
        let request = Usage { requests: 1, ..Usage::default() };
        if held.take(request) { Ok(held) } else { Err(Refusal::TooManyRequests) }
    }
}

impl Held {
    /// Counts a new stream, or refuses it if the caller has too many. `id` is that of the request.
    pub(crate) fn add_stream(&mut self, id: Option<&Value>) -> Result<(), Refusal> {
        let stream = Usage { streams: 1, ..Usage::default() };
        if self.take(stream) { Ok(()) } else { Err(Refusal::TooManyStreams(id.cloned())) }
    }

    /// Counts more bytes of the body, or refuses them if the caller has too many in progress.
    pub(crate) fn add_body_bytes(&mut self, count: usize) -> Result<(), Refusal> {
        let bytes = Usage { body_bytes: count, ..Usage::default() };
        if self.take(bytes) { Ok(()) } else { Err(Refusal::TooManyRequests) }
    }

    /// Takes `more`, or returns `false` if the caller or the user would exceed the limit.
    fn take(&mut self, more: Usage) -> bool {
        let Used { by_caller, by_user } = &mut *lock(&self.used);
        let of_caller = by_caller.entry(self.owner.clone()).or_default();
        let of_user = by_user.entry(self.owner.user().clone()).or_default();
        let fits = of_caller.plus(more).fits(self.max, 1)
            && of_user.plus(more).fits(self.max, SHARES_PER_USER);
        if fits {
            *of_caller = of_caller.plus(more);
            *of_user = of_user.plus(more);
            self.usage = self.usage.plus(more);
        } else {
            give_back(by_caller, &self.owner, Usage::default());
            give_back(by_user, self.owner.user(), Usage::default());
        }
        fits
    }
}

impl Usage {
    fn plus(self, more: Self) -> Self {
        Self {
            requests: self.requests.saturating_add(more.requests),
            streams: self.streams.saturating_add(more.streams),
            body_bytes: self.body_bytes.saturating_add(more.body_bytes),
        }
    }

    fn minus(self, less: Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(less.requests),
            streams: self.streams.saturating_sub(less.streams),
            body_bytes: self.body_bytes.saturating_sub(less.body_bytes),
        }
    }

    /// Whether this is within so many shares.
    fn fits(self, share: Self, shares: usize) -> bool {
        self.requests <= share.requests * shares
            && self.streams <= share.streams * shares
            && self.body_bytes <= share.body_bytes * shares
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let usage = mem::take(&mut self.usage);
        if usage != Usage::default() {
            let mut used = lock(&self.used);
            give_back(&mut used.by_caller, &self.owner, usage);
            give_back(&mut used.by_user, self.owner.user(), usage);
        }
    }
}

/// Takes `usage` off an entry, and removes the entry if that leaves nothing.
fn give_back<K: Eq + Hash>(used: &mut HashMap<K, Usage>, key: &K, usage: Usage) {
    if let Some(left) = used.get_mut(key) {
        *left = left.minus(usage);
        if *left == Usage::default() {
            used.remove(key);
        }
    }
}

fn lock(used: &Mutex<Used>) -> MutexGuard<'_, Used> {
    used.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::caller;

    fn limited_to(requests: usize) -> InProgress {
        InProgress { max: Usage { requests, ..MAX }, ..InProgress::default() }
    }

    #[test]
    fn a_caller_has_a_share_that_others_do_not_touch_and_gets_back_what_ends() {
        let in_progress = limited_to(3);
        let (nick, eve) = (caller("nick", "c", &[]), caller("eve", "c", &[]));
        let mut places: Vec<_> = (0..3).map(|_| in_progress.begin(&nick).unwrap()).collect();
        assert_eq!(in_progress.begin(&nick).err(), Some(Refusal::TooManyRequests));
        assert!(in_progress.begin(&eve).is_ok());
        places.pop();
        assert!(in_progress.begin(&nick).is_ok());
        drop(places);
        assert!(lock(&in_progress.used).by_caller.is_empty());
        assert!(lock(&in_progress.used).by_user.is_empty());
    }

    #[test]
    fn a_person_has_no_more_for_having_many_clients() {
        let in_progress = limited_to(3);
        let mut places = Vec::new();
        for client in 0..100 {
            let nick = caller("nick", &client.to_string(), &[]);
            places.extend((0..3).map_while(|_| in_progress.begin(&nick).ok()));
        }
        assert_eq!(places.len(), 3 * SHARES_PER_USER);
        assert!(in_progress.begin(&caller("eve", "0", &[])).is_ok());
    }

    #[test]
    fn streams_are_fewer_than_requests_and_a_refused_one_holds_nothing() {
        let in_progress = InProgress::default();
        let nick = caller("nick", "c", &[]);
        let listen = |id: &Value| {
            let mut held = in_progress.begin(&nick)?;
            held.add_stream(Some(id)).map(|()| held)
        };
        let streams: Vec<_> = (0..MAX.streams).map(|n| listen(&n.into()).unwrap()).collect();
        let refused = Some(Refusal::TooManyStreams(Some(7.into())));
        assert_eq!(listen(&7.into()).err(), refused);
        let left = MAX.requests - MAX.streams;
        let requests: Vec<_> = (0..left).map(|_| in_progress.begin(&nick).unwrap()).collect();
        assert_eq!(in_progress.begin(&nick).err(), Some(Refusal::TooManyRequests));
        drop((streams, requests));
        assert!(listen(&7.into()).is_ok());
    }

    #[test]
    fn the_bodies_of_a_caller_take_so_much_memory_and_no_more() {
        let in_progress = InProgress::default();
        let nick = caller("nick", "c", &[]);
        let mut one = in_progress.begin(&nick).unwrap();
        let mut other = in_progress.begin(&nick).unwrap();
        assert_eq!(one.add_body_bytes(MAX.body_bytes), Ok(()));
        assert_eq!(other.add_body_bytes(1), Err(Refusal::TooManyRequests));
        drop(one);
        assert_eq!(other.add_body_bytes(1), Ok(()));
    }
}
