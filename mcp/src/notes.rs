//! The notes of each person, and who wants to hear when they change.
//!
//! They live in memory: the demo server is there to show the protocol, not to keep anything.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use guard::Caller;
use rmcp::{
    Peer, RoleServer,
    model::ResourceUpdatedNotificationParam,
    service::{SubscriptionContext, SubscriptionSink},
};

/// Where a caller's own notes are read.
pub(crate) const URI: &str = "notes://mine";
/// Most notes of one person; one more drops the oldest.
const MOST_NOTES: usize = 100;
/// Most people whose notes are kept.
const MOST_PEOPLE: usize = 10_000;
/// Longest note, in bytes.
pub(crate) const LONGEST_NOTE: usize = 2_000;

/// A person: notes are theirs through whichever client they come.
type Person = (String, String);

/// All notes. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Notes(Arc<Inner>);

#[derive(Default)]
struct Inner {
    by_person: Mutex<HashMap<Person, Vec<String>>>,
    listeners: Mutex<HashMap<u64, (Person, Listener)>>,
    listened: AtomicU64,
}

/// How a client hears of a change: on the wire of 2026 by the stream of its subscription, on the
/// older ones by its session.
#[derive(Clone)]
enum Listener {
    Stream(SubscriptionSink),
    Session(String, Peer<RoleServer>),
}

impl Listener {
    /// Whether the session has ended. A stream takes itself off the list.
    fn is_gone(&self) -> bool {
        matches!(self, Self::Session(_, peer) if peer.is_transport_closed())
    }

    /// Whether the client could still be told.
    async fn tell(&self) -> bool {
        match self {
            Self::Stream(sink) => sink.notify_resource_updated(URI).await.is_ok(),
            Self::Session(_, peer) => {
                let change = ResourceUpdatedNotificationParam::new(URI);
                peer.notify_resource_updated(change).await.is_ok()
            }
        }
    }
}

impl Notes {
    /// The caller's notes, oldest first.
    pub(crate) fn of(&self, caller: &Caller) -> Vec<String> {
        lock(&self.0.by_person).get(&person(caller)).cloned().unwrap_or_default()
    }

    /// Adds one, and tells whoever listens. The answer is how many there are.
    pub(crate) async fn add(&self, caller: &Caller, note: String) -> usize {
        let person = person(caller);
        let count = self.keep(&person, note);
        let listeners: Vec<(u64, Listener)> = lock(&self.0.listeners)
            .iter()
            .filter(|(_, (owner, _))| *owner == person)
            .map(|(key, (_, listener))| (*key, listener.clone()))
            .collect();
        for (key, listener) in listeners {
            if !listener.tell().await {
                lock(&self.0.listeners).remove(&key);
            }
        }
        count
    }

    fn keep(&self, person: &Person, note: String) -> usize {
        let mut people = lock(&self.0.by_person);
        if people.len() >= MOST_PEOPLE && !people.contains_key(person) {
            people.clear();
        }
        let notes = people.entry(person.clone()).or_default();
        if notes.len() >= MOST_NOTES {
            notes.remove(0);
        }
        notes.push(note);
        notes.len()
    }

    /// Tells the stream of a subscription of changes until it ends.
    pub(crate) async fn listen(&self, caller: &Caller, context: &SubscriptionContext) {
        let key = self.enlist(caller, Listener::Stream(context.sink().clone()));
        context.cancelled().await;
        lock(&self.0.listeners).remove(&key);
    }

    /// Tells a session of an older wire of changes.
    pub(crate) fn subscribe(&self, caller: &Caller, session: &str, peer: Peer<RoleServer>) {
        self.unsubscribe(caller, session);
        self.enlist(caller, Listener::Session(session.to_owned(), peer));
    }

    /// Ends that.
    pub(crate) fn unsubscribe(&self, caller: &Caller, session: &str) {
        let person = person(caller);
        lock(&self.0.listeners).retain(|_, (owner, listener)| {
            let is_it = matches!(listener, Listener::Session(known, _) if known == session);
            !(is_it && *owner == person)
        });
    }

    fn enlist(&self, caller: &Caller, listener: Listener) -> u64 {
        let key = self.0.listened.fetch_add(1, Ordering::Relaxed);
        let mut listeners = lock(&self.0.listeners);
        // Sessions are few, but a caller could open, subscribe and close them for ever.
        listeners.retain(|_, (_, listener)| !listener.is_gone());
        listeners.insert(key, (person(caller), listener));
        key
    }
}

fn person(caller: &Caller) -> Person {
    (caller.issuer.clone(), caller.subject.clone())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
