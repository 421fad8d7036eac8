//! The notes of each user, and the clients that are told when they change.
//!
//! They are kept in memory, because this server demonstrates the protocol.

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

/// URI of the caller's notes.
pub(crate) const URI: &str = "notes://mine";
/// Maximum notes of one user. One more removes the oldest.
const MAX_NOTES: usize = 100;
/// Maximum users with notes.
const MAX_USERS: usize = 10_000;
/// Maximum length of a note, in bytes.
pub(crate) const MAX_NOTE_LENGTH: usize = 2_000;

/// Issuer and subject. A user has the same notes through every client.
type User = (String, String);

/// All notes. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Notes(Arc<Inner>);

#[derive(Default)]
struct Inner {
    by_user: Mutex<HashMap<User, Vec<String>>>,
    listeners: Mutex<HashMap<u64, (User, Listener)>>,
    listened: AtomicU64,
}

/// How a client is told of a change: on the stream of its subscription (2026-07-28), or through its
/// session (before).
#[derive(Clone)]
enum Listener {
    Stream(SubscriptionSink),
    Session(String, Peer<RoleServer>),
}

impl Listener {
    /// Whether the session has ended. A stream removes itself from the list.
    fn is_closed(&self) -> bool {
        matches!(self, Self::Session(_, peer) if peer.is_transport_closed())
    }

    /// Notifies the client. Returns `false` if it is gone.
    async fn notify(&self) -> bool {
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
    pub(crate) fn list(&self, caller: &Caller) -> Vec<String> {
        lock(&self.0.by_user).get(&user(caller)).cloned().unwrap_or_default()
    }

    /// Adds a note and notifies the clients that listen. Returns the number of notes.
    pub(crate) async fn add(&self, caller: &Caller, note: String) -> usize {
        let user = user(caller);
        let count = self.keep(&user, note);
        let listeners: Vec<(u64, Listener)> = lock(&self.0.listeners)
            .iter()
            .filter(|(_, (owner, _))| *owner == user)
            .map(|(key, (_, listener))| (*key, listener.clone()))
            .collect();
        for (key, listener) in listeners {
            if !listener.notify().await {
                lock(&self.0.listeners).remove(&key);
            }
        }
        count
    }

    fn keep(&self, user: &User, note: String) -> usize {
        let mut users = lock(&self.0.by_user);
        if users.len() >= MAX_USERS && !users.contains_key(user) {
            users.clear();
        }
        let notes = users.entry(user.clone()).or_default();
        if notes.len() >= MAX_NOTES {
            notes.remove(0);
        }
        notes.push(note);
        notes.len()
    }

    /// Notifies the stream of a subscription of changes until it ends.
    pub(crate) async fn listen(&self, caller: &Caller, context: &SubscriptionContext) {
        let key = self.enlist(caller, Listener::Stream(context.sink().clone()));
        context.cancelled().await;
        lock(&self.0.listeners).remove(&key);
    }

    /// Notifies a session of changes.
    pub(crate) fn subscribe(&self, caller: &Caller, session: &str, peer: Peer<RoleServer>) {
        self.unsubscribe(caller, session);
        self.enlist(caller, Listener::Session(session.to_owned(), peer));
    }

    /// Ends the notifications of a session.
    pub(crate) fn unsubscribe(&self, caller: &Caller, session: &str) {
        let user = user(caller);
        lock(&self.0.listeners).retain(|_, (owner, listener)| {
            let is_session = matches!(listener, Listener::Session(known, _) if known == session);
            !(is_session && *owner == user)
        });
    }

    fn enlist(&self, caller: &Caller, listener: Listener) -> u64 {
        let key = self.0.listened.fetch_add(1, Ordering::Relaxed);
        let mut listeners = lock(&self.0.listeners);
        // Otherwise a caller could open, subscribe and close sessions without end.
        listeners.retain(|_, (_, listener)| !listener.is_closed());
        listeners.insert(key, (user(caller), listener));
        key
    }
}

fn user(caller: &Caller) -> User {
    (caller.issuer.clone(), caller.subject.clone())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
