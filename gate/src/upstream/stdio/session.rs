//! The sessions of revisions before 2026-07-28, each with a child of its own or a place at the shared one.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use guard::Caller;
use serde_json::json;
use uuid::Uuid;

use super::{
    link::Link,
    message::{Message, Params},
    process::Running,
    table::PartyId,
};

/// Maximum sessions with a child of their own that one user may have, through whatever clients. One more
/// ends the one that was used least recently.
const MAX_CHILDREN_PER_USER: usize = 8;

/// A session of a client.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) link: Arc<Link>,
    pub(super) party: PartyId,
    /// The child, if it is the session's own. It ends with the session.
    child: Option<Running>,
    user: (String, String),
    last_used: AtomicI64,
}

/// The sessions by their ids. Whose each is, the guard knows.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<HashMap<String, Arc<Session>>>);

impl Session {
    pub(super) fn new(caller: Option<&Caller>, link: Arc<Link>, child: Option<Running>) -> Self {
        let party = link.table().join();
        let user = caller.map(|caller| (caller.issuer.clone(), caller.subject.clone()));
        Self {
            id: Uuid::new_v4().to_string(),
            link,
            party,
            child,
            user: user.unwrap_or_default(),
            last_used: AtomicI64::new(0),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let left = self.link.table().leave(self.party);
        if left.is_empty() || self.child.is_some() {
            return;
        }
        // The last subscriber has left.
        let link = self.link.clone();
        tokio::spawn(async move {
            for uri in left {
                let request = Message::request("resources/unsubscribe");
                let params = Params::of(&json!({"uri": uri}));
                if let Ok(pending) = link.call(None, request, params).await {
                    pending.response().await;
                }
            }
        });
    }
}

impl Sessions {
    /// Makes room for another session with a child of its own of this user.
    pub(super) fn make_room(&self, caller: Option<&Caller>) {
        let mut sessions = self.sessions();
        let Some(caller) = caller else {
            return;
        };
        let is_theirs = |session: &Session| {
            let (issuer, subject) = &session.user;
            session.child.is_some() && *issuer == caller.issuer && *subject == caller.subject
        };
        let theirs = sessions.values().filter(|session| is_theirs(session));
        if theirs.clone().count() < MAX_CHILDREN_PER_USER {
            return;
        }
        let oldest = theirs.min_by_key(|session| session.last_used.load(Ordering::Relaxed));
        if let Some(id) = oldest.map(|session| session.id.clone()) {
            tracing::info!(reason = "children_too_many", "ends the oldest session of a user");
            sessions.remove(&id);
        }
    }

    pub(super) fn open(&self, session: Session, now: i64) -> Arc<Session> {
        session.last_used.store(now, Ordering::Relaxed);
        let session = Arc::new(session);
        self.sessions().insert(session.id.clone(), session.clone());
        session
    }

    /// The session with this id, unless its child has ended.
    pub(super) fn find(&self, id: &str, now: i64) -> Option<Arc<Session>> {
        let mut sessions = self.sessions();
        let session = sessions.get(id)?.clone();
        if session.link.table().is_closed() {
            sessions.remove(id);
            return None;
        }
        session.last_used.store(now, Ordering::Relaxed);
        Some(session)
    }

    pub(super) fn end(&self, id: &str) -> bool {
        self.sessions().remove(id).is_some()
    }

    /// Ends the sessions that nothing has used for so many seconds, and those whose child has ended.
    pub(super) fn end_idle(&self, now: i64, idle_timeout: i64) {
        self.sessions().retain(|_, session| {
            let table = session.link.table();
            if session.child.is_some() && table.is_in_use() {
                session.last_used.store(now, Ordering::Relaxed);
            }
            let idle = now - session.last_used.load(Ordering::Relaxed);
            !table.is_closed() && idle < idle_timeout
        });
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
