//! The authorization server's signing keys over time: next, current, previous.

use crate::{KeyError, KeySet, SigningKey};

/// A key and the times, in seconds since 1970, that give it its state.
#[derive(Clone, Debug)]
pub struct RingEntry {
    /// The key.
    pub key: SigningKey,
    /// From when it may sign. Until then it is only published, so that every verifier has
    /// fetched it before the first token that needs it.
    pub activates_at: i64,
    /// From when it is no longer published; no token that it signed lives longer.
    pub retires_at: Option<i64>,
}

/// All keys that are still known. State follows from the clock alone, so replicas that read the
/// same rows agree without talking to each other.
#[derive(Clone, Debug, Default)]
pub struct KeyRing {
    entries: Vec<RingEntry>,
}

impl KeyRing {
    /// A ring of these keys, in any order.
    pub fn new(entries: Vec<RingEntry>) -> Self {
        Self { entries }
    }

    /// The key to sign with: of those that are active and not retired, the youngest.
    pub fn current(&self, now: i64) -> Result<&SigningKey, KeyError> {
        self.published(now)
            .filter(|entry| entry.activates_at <= now)
            .max_by_key(|entry| entry.activates_at)
            .map(|entry| &entry.key)
            .ok_or(KeyError::NoneActive)
    }

    /// What `/jwks` shows: next, current and previous keys.
    pub fn key_set(&self, now: i64) -> KeySet {
        KeySet::new(self.published(now).map(|entry| entry.key.public_jwk().clone()).collect())
    }

    fn published(&self, now: i64) -> impl Iterator<Item = &RingEntry> {
        self.entries.iter().filter(move |entry| entry.retires_at.is_none_or(|at| now < at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Algorithm;

    fn entry(activates_at: i64, retires_at: Option<i64>) -> RingEntry {
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        RingEntry { key, activates_at, retires_at }
    }

    #[test]
    fn a_key_is_published_before_it_signs_and_after_it_has_signed() {
        let (old, new) = (entry(0, Some(300)), entry(100, None));
        let (old_kid, new_kid) = (old.key.kid().to_owned(), new.key.kid().to_owned());
        let ring = KeyRing::new(vec![new, old]);

        assert_eq!(ring.current(99).unwrap().kid(), old_kid);
        assert_eq!(ring.current(100).unwrap().kid(), new_kid);
        assert_eq!(ring.key_set(50).keys().len(), 2);
        assert_eq!(ring.key_set(299).keys().len(), 2);
        assert_eq!(ring.key_set(300).keys().len(), 1);
    }

    #[test]
    fn an_empty_ring_signs_nothing() {
        assert!(matches!(KeyRing::default().current(0), Err(KeyError::NoneActive)));
    }
}
