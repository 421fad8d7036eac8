//! Limits what one caller may have in progress at once.
//!
//! A request holds a connection, memory and a task until it is answered, and a stream for as long
//! as the client listens. Without limits, one signed-in client could take every connection of the
//! server.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

use crate::{
    caller::{Caller, Owner, User},
    refusal::Refusal,
};

/// Maximum requests of one caller that are being read, served or answered.
const MAX_REQUESTS: usize = 128;
/// Maximum streams on which one caller listens.
const MAX_STREAMS: usize = 32;
/// Maximum bytes in the bodies of one caller's requests in progress: eight of the largest bodies.
const MAX_BODY_BYTES: usize = 32 << 20;
/// All clients of one user together may have this many times the share of one. A user may have
/// several clients, but must not escape the limits by registering many.
pub(crate) const SHARES_PER_USER: usize = 4;

/// What callers have in progress.
#[derive(Debug)]
pub(crate) struct InProgress {
    requests: Quota,
    streams: Quota,
    body_bytes: Quota,
}

/// Limits a resource for each caller and each user. Clones share their counts.
#[derive(Clone, Debug)]
struct Quota {
    max: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    by_caller: HashMap<Owner, usize>,
    by_user: HashMap<User, usize>,
}

/// What one request holds until it is answered.
#[derive(Debug, Default)]
pub(crate) struct Held {
    _request: Option<Share>,
    stream: Option<Share>,
    body_bytes: Option<Share>,
}

/// What a caller has taken. Dropping it gives it back.
#[derive(Debug)]
struct Share {
    owner: Owner,
    amount: usize,
    quota: Quota,
}

impl Default for InProgress {
    fn default() -> Self {
        Self {
            requests: Quota::new(MAX_REQUESTS),
            streams: Quota::new(MAX_STREAMS),
            body_bytes: Quota::new(MAX_BODY_BYTES),
        }
    }
}

impl InProgress {
    /// Counts a new request, or refuses it if the caller has too many.
    pub(crate) fn begin(&self, caller: &Caller) -> Result<Held, Refusal> {
        let request = self.requests.take(caller.owner(), 1).ok_or(Refusal::TooManyRequests)?;
        let body_bytes = self.body_bytes.take(caller.owner(), 0);
        Ok(Held { _request: Some(request), body_bytes, stream: None })
    }

    /// Counts a new stream, or refuses it if the caller has too many. `id` is that of the request.
    pub(crate) fn listen(
        &self,
        held: &mut Held,
        caller: &Caller,
        id: Option<&Value>,
    ) -> Result<(), Refusal> {
        held.stream = self.streams.take(caller.owner(), 1);
        match held.stream {
            Some(_) => Ok(()),
            None => Err(Refusal::TooManyStreams(id.cloned())),
        }
    }
}

impl Quota {
    fn new(max: usize) -> Self {
        Self { max, taken: Arc::default() }
    }

    fn take(&self, owner: Owner, amount: usize) -> Option<Share> {
        let mut share = Share { owner, amount: 0, quota: self.clone() };
        share.grow(amount).then_some(share)
    }
}

impl Held {
    /// Counts more bytes of the body, or refuses them if the caller has too many in progress.
    pub(crate) fn add_body_bytes(&mut self, count: usize) -> Result<(), Refusal> {
        let share = self.body_bytes.as_mut();
        let fits = share.is_some_and(|share| share.grow(count));
        if fits { Ok(()) } else { Err(Refusal::TooManyRequests) }
    }
}

impl Share {
    /// Takes `more`, or returns `false` if the caller would exceed the limit.
    fn grow(&mut self, more: usize) -> bool {
        let mut taken = lock(&self.quota.taken);
        let of_caller = taken.by_caller.get(&self.owner).copied().unwrap_or_default() + more;
        let of_user = taken.by_user.get(self.owner.user()).copied().unwrap_or_default() + more;
        let max = self.quota.max;
        if of_caller > max || of_user > max * SHARES_PER_USER {
            return false;
        }
        if more > 0 {
            taken.by_caller.insert(self.owner.clone(), of_caller);
            taken.by_user.insert(self.owner.user().clone(), of_user);
            self.amount += more;
        }
        true
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = lock(&self.quota.taken);
        give_back(&mut taken.by_caller, &self.owner, self.amount);
        give_back(&mut taken.by_user, self.owner.user(), self.amount);
    }
}

/// Keeps no entry for a caller who has nothing in progress.
fn give_back<K: Eq + Hash>(taken: &mut HashMap<K, usize>, key: &K, amount: usize) {
    if let Some(count) = taken.get_mut(key) {
        *count = count.saturating_sub(amount);
        if *count == 0 {
            taken.remove(key);
        }
    }
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::caller;

    #[test]
    fn a_caller_has_a_share_that_others_do_not_touch_and_gets_back_what_ends() {
        let quota = Quota::new(3);
        let (nick, eve) = (caller("nick", "c", &[]).owner(), caller("eve", "c", &[]).owner());
        let mut places: Vec<_> = (0..3).map(|_| quota.take(nick.clone(), 1).unwrap()).collect();
        assert!(quota.take(nick.clone(), 1).is_none());
        assert!(quota.take(eve, 1).is_some());
        places.pop();
        assert!(quota.take(nick, 1).is_some());
        drop(places);
        assert!(lock(&quota.taken).by_caller.is_empty());
        assert!(lock(&quota.taken).by_user.is_empty());
    }

    #[test]
    fn a_person_has_no_more_for_having_many_clients() {
        let quota = Quota::new(3);
        let mut places = Vec::new();
        for client in 0..100 {
            let nick = || caller("nick", &client.to_string(), &[]).owner();
            places.extend((0..3).map_while(|_| quota.take(nick(), 1)));
        }
        assert_eq!(places.len(), 3 * SHARES_PER_USER);
        assert!(quota.take(caller("eve", "0", &[]).owner(), 1).is_some());
    }

    #[test]
    fn streams_are_fewer_than_requests_and_a_refused_one_holds_nothing() {
        let in_progress = InProgress::default();
        let nick = caller("nick", "c", &[]);
        let listen = |id: &Value| {
            let mut held = in_progress.begin(&nick)?;
            in_progress.listen(&mut held, &nick, Some(id)).map(|()| held)
        };
        let streams: Vec<_> = (0..MAX_STREAMS).map(|n| listen(&n.into()).unwrap()).collect();
        let refused = Some(Refusal::TooManyStreams(Some(7.into())));
        assert_eq!(listen(&7.into()).err(), refused);
        let left = MAX_REQUESTS - MAX_STREAMS;
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
        assert_eq!(one.add_body_bytes(MAX_BODY_BYTES), Ok(()));
        assert_eq!(other.add_body_bytes(1), Err(Refusal::TooManyRequests));
        drop(one);
        assert_eq!(other.add_body_bytes(1), Ok(()));
    }
}
