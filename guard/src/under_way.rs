//! How much one caller may have under way at once.
//!
//! A request holds a connection, memory and a task of the runtime until it is answered, a stream
//! for as long as the client listens. Without a bound, one signed-in client could take every
//! connection of the server.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

use crate::{
    caller::{Caller, Owner, Person},
    refusal::Refusal,
};

/// Requests of one caller that are being read, served or answered.
const MAX_REQUESTS: usize = 128;
/// Streams on which one caller listens.
const MAX_STREAMS: usize = 32;
/// Bytes of the bodies of one caller's requests under way: eight of the largest.
const MAX_BODY_BYTES: usize = 32 << 20;
/// A person may use several clients, but registering many must not lift the bounds: all clients of
/// one person have so many times the share of one.
pub(crate) const CLIENTS_OF_A_PERSON: usize = 4;

/// What callers have under way.
#[derive(Debug)]
pub(crate) struct UnderWay {
    requests: Quota,
    streams: Quota,
    body_bytes: Quota,
}

/// A bound for each caller on something that is scarce. Clones share what they count.
#[derive(Clone, Debug)]
struct Quota {
    max: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    by_caller: HashMap<Owner, usize>,
    by_person: HashMap<Person, usize>,
}

/// What one request takes until it is answered.
#[derive(Debug, Default)]
pub(crate) struct Held {
    _request: Option<Share>,
    stream: Option<Share>,
    body_bytes: Option<Share>,
}

/// What a caller has taken, given back when it is dropped.
#[derive(Debug)]
struct Share {
    owner: Owner,
    amount: usize,
    quota: Quota,
}

impl Default for UnderWay {
    fn default() -> Self {
        Self {
            requests: Quota::new(MAX_REQUESTS),
            streams: Quota::new(MAX_STREAMS),
            body_bytes: Quota::new(MAX_BODY_BYTES),
        }
    }
}

impl UnderWay {
    /// Begins a request of the caller, unless they have too many.
    pub(crate) fn begin(&self, caller: &Caller) -> Result<Held, Refusal> {
        let request = self.requests.take(caller.owner(), 1).ok_or(Refusal::TooManyRequests)?;
        let body_bytes = self.body_bytes.take(caller.owner(), 0);
        Ok(Held { _request: Some(request), body_bytes, stream: None })
    }

    /// Lets the caller listen by a request, unless they listen on too many streams. `id` is that of
    /// the request, if it has one.
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
    /// Counts more bytes of the request's body, unless the caller has too many under way.
    pub(crate) fn add_body_bytes(&mut self, count: usize) -> Result<(), Refusal> {
        let share = self.body_bytes.as_mut();
        let fits = share.is_some_and(|share| share.grow(count));
        if fits { Ok(()) } else { Err(Refusal::TooManyRequests) }
    }
}

impl Share {
    /// Takes so much more; `false` if the caller would have too much.
    fn grow(&mut self, more: usize) -> bool {
        let mut taken = lock(&self.quota.taken);
        let of_caller = taken.by_caller.get(&self.owner).copied().unwrap_or_default() + more;
        let of_person =
            taken.by_person.get(self.owner.person()).copied().unwrap_or_default() + more;
        let max = self.quota.max;
        if of_caller > max || of_person > max * CLIENTS_OF_A_PERSON {
            return false;
        }
        if more > 0 {
            taken.by_caller.insert(self.owner.clone(), of_caller);
            taken.by_person.insert(self.owner.person().clone(), of_person);
            self.amount += more;
        }
        true
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = lock(&self.quota.taken);
        give_back(&mut taken.by_caller, &self.owner, self.amount);
        give_back(&mut taken.by_person, self.owner.person(), self.amount);
    }
}

/// Nothing is kept of a caller who has nothing under way.
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
        assert!(lock(&quota.taken).by_person.is_empty());
    }

    #[test]
    fn a_person_has_no_more_for_having_many_clients() {
        let quota = Quota::new(3);
        let mut places = Vec::new();
        for client in 0..100 {
            let nick = || caller("nick", &client.to_string(), &[]).owner();
            places.extend((0..3).map_while(|_| quota.take(nick(), 1)));
        }
        assert_eq!(places.len(), 3 * CLIENTS_OF_A_PERSON);
        assert!(quota.take(caller("eve", "0", &[]).owner(), 1).is_some());
    }

    #[test]
    fn streams_are_fewer_than_requests_and_a_refused_one_holds_nothing() {
        let (under_way, nick) = (UnderWay::default(), caller("nick", "c", &[]));
        let listen = |id: &Value| {
            let mut held = under_way.begin(&nick)?;
            under_way.listen(&mut held, &nick, Some(id)).map(|()| held)
        };
        let streams: Vec<_> = (0..MAX_STREAMS).map(|n| listen(&n.into()).unwrap()).collect();
        let refused = Some(Refusal::TooManyStreams(Some(7.into())));
        assert_eq!(listen(&7.into()).err(), refused);
        let left = MAX_REQUESTS - MAX_STREAMS;
        let requests: Vec<_> = (0..left).map(|_| under_way.begin(&nick).unwrap()).collect();
        assert_eq!(under_way.begin(&nick).err(), Some(Refusal::TooManyRequests));
        drop((streams, requests));
        assert!(listen(&7.into()).is_ok());
    }

    #[test]
    fn the_bodies_of_a_caller_take_so_much_memory_and_no_more() {
        let (under_way, nick) = (UnderWay::default(), caller("nick", "c", &[]));
        let mut one = under_way.begin(&nick).unwrap();
        let mut other = under_way.begin(&nick).unwrap();
        assert_eq!(one.add_body_bytes(MAX_BODY_BYTES), Ok(()));
        assert_eq!(other.add_body_bytes(1), Err(Refusal::TooManyRequests));
        drop(one);
        assert_eq!(other.add_body_bytes(1), Ok(()));
    }
}
