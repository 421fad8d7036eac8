//! The owners of sessions, in revisions before 2026-07-28.
//!
//! rmcp knows sessions by their id alone, so anyone who learns an id could use the session. The
//! guard remembers who opened it. For every other caller it does not exist.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{caller::Owner, in_progress::SHARES_PER_USER};

/// Maximum sessions of one caller. One more ends the least recently used one, so that a client which
/// forgets to close its sessions is not locked out.
const MAX_SESSIONS: usize = 32;
/// Seconds after which an unused session is forgotten. rmcp ends it after 5 minutes.
const IDLE_TIMEOUT: i64 = 3600;

/// Sessions and their owners.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    by_id: HashMap<String, Session>,
    /// Number of uses so far, which orders those within one second.
    uses: u64,
}

#[derive(Debug)]
struct Session {
    owner: Owner,
    last_used: i64,
    last_use: u64,
}

impl Sessions {
    /// Remembers a new session. Returns the id of the session that must end for it, if any.
    pub(crate) fn open(&self, id: &str, owner: Owner, now: i64) -> Option<String> {
        let mut table = self.table();
        table.by_id.retain(|_, session| now.saturating_sub(session.last_used) < IDLE_TIMEOUT);
        let oldest =
            table.least_recently_used(MAX_SESSIONS, |other| *other == owner).or_else(|| {
                let max = MAX_SESSIONS * SHARES_PER_USER;
                table.least_recently_used(max, |other| other.user() == owner.user())
            });
        if let Some(oldest) = &oldest {
            table.by_id.remove(oldest);
        }
        let last_use = table.count();
        table.by_id.insert(id.into(), Session { owner, last_used: now, last_use });
        oldest
    }

    /// Notes a use of the session. Returns `false` if it is not one of `owner`'s.
    pub(crate) fn use_session(&self, id: &str, owner: &Owner, now: i64) -> bool {
        let mut table = self.table();
        let use_number = table.count();
        match table.by_id.get_mut(id) {
            Some(session) if session.owner == *owner => {
                session.last_used = now;
                session.last_use = use_number;
                true
            }
            _ => false,
        }
    }

    /// Forgets a session that has ended.
    pub(crate) fn close(&self, id: &str) {
        self.table().by_id.remove(id);
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// The least recently used session of these owners, if they have `max` or more.
    fn least_recently_used(&self, max: usize, owns: impl Fn(&Owner) -> bool) -> Option<String> {
        let sessions = self.by_id.iter().filter(|(_, session)| owns(&session.owner));
        let oldest = sessions.clone().min_by_key(|(_, session)| session.last_use);
        oldest.filter(|_| sessions.count() >= max).map(|(id, _)| id.clone())
    }

    fn count(&mut self) -> u64 {
        self.uses = self.uses.saturating_add(1);
        self.uses
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::caller;

    fn owner(subject: &str, client_id: &str) -> Owner {
        caller(subject, client_id, &[]).owner()
    }

    #[test]
    fn a_session_is_its_opener_s_and_nobody_else_s() {
        let sessions = Sessions::default();
        sessions.open("s", owner("nick", "c"), 0);
        assert!(sessions.use_session("s", &owner("nick", "c"), 1));
        assert!(!sessions.use_session("s", &owner("nick", "d"), 1));
        assert!(!sessions.use_session("s", &owner("eve", "c"), 1));
        assert!(!sessions.use_session("t", &owner("nick", "c"), 1));
        sessions.close("s");
        assert!(!sessions.use_session("s", &owner("nick", "c"), 1));
    }

    #[test]
    fn one_session_too_many_ends_the_one_used_least_recently_of_the_same_caller() {
        let sessions = Sessions::default();
        sessions.open("other", owner("eve", "c"), 0);
        for n in 0..MAX_SESSIONS {
            assert_eq!(sessions.open(&n.to_string(), owner("nick", "c"), 0), None);
        }
        assert!(sessions.use_session("0", &owner("nick", "c"), 0));
        let ended = sessions.open("more", owner("nick", "c"), 0);
        assert_eq!(ended.as_deref(), Some("1"));
        assert!(!sessions.use_session("1", &owner("nick", "c"), 0));
        assert!(sessions.use_session("other", &owner("eve", "c"), 0));
    }

    #[test]
    fn a_person_has_no_more_sessions_for_having_many_clients() {
        let sessions = Sessions::default();
        let max = MAX_SESSIONS * SHARES_PER_USER;
        for n in 0..max {
            let client = (n / MAX_SESSIONS).to_string();
            assert_eq!(sessions.open(&n.to_string(), owner("nick", &client), 0), None);
        }
        assert_eq!(sessions.open("more", owner("nick", "one more"), 0).as_deref(), Some("0"));
        assert_eq!(sessions.open("other", owner("eve", "c"), 0), None);
    }

    #[test]
    fn a_session_that_nobody_uses_is_forgotten() {
        let sessions = Sessions::default();
        sessions.open("s", owner("nick", "c"), 0);
        sessions.open("t", owner("eve", "c"), IDLE_TIMEOUT);
        assert!(!sessions.use_session("s", &owner("nick", "c"), IDLE_TIMEOUT));
    }
}
