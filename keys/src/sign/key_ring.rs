//! The authorization server's signing keys over time: next, current, previous.

use std::sync::Arc;

use super::SigningKey;
use crate::{Algorithm, KeyError, KeySet};

/// A key and the times, in seconds since 1970, that give it its state.
#[derive(Clone, Debug)]
pub struct RingEntry {
    /// The key.
    pub key: Arc<SigningKey>,
    /// When it may start to sign. Before, it is only published, so that every verifier has fetched
    /// it before the first token that needs it.
    pub activates_at: i64,
    /// When it is no longer published. Every token that it signed has expired by then.
    pub retires_at: Option<i64>,
}

/// The state of a key at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Published, so that verifiers know the key before it signs.
    Next,
    /// Published and signing.
    Current,
    /// Published for the tokens that it has signed.
    Previous,
    /// No longer published.
    Retired,
}

impl KeyState {
    /// The name of the state.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Current => "current",
            Self::Previous => "previous",
            Self::Retired => "retired",
        }
    }
}

/// The schedule of key rotation, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Rotation {
    /// How long a key signs. 0 means until it is rotated by hand.
    pub period: i64,
    /// How long a key is published before it signs. At least as long as verifiers cache the key set.
    pub lead: i64,
    /// How long a key stays published after its successor signs. At least the lifetime of a token.
    pub stay: i64,
}

/// All keys that are not removed yet. Their states depend on the clock only, so replicas that read
/// the same rows agree without talking to each other.
#[derive(Clone, Debug, Default)]
pub struct KeyRing {
    entries: Vec<RingEntry>,
}

impl KeyRing {
    /// A ring of these keys, in any order.
    pub fn new(entries: Vec<RingEntry>) -> Self {
        Self { entries }
    }

    /// The youngest key of `algorithm` that is active and not retired.
    ///
    /// # Errors
    /// [`KeyError::NoneActive`] if there is none.
    pub fn current(&self, algorithm: Algorithm, now: i64) -> Result<Arc<SigningKey>, KeyError> {
        self.published(now)
            .filter(|entry| entry.key.algorithm() == algorithm && entry.activates_at <= now)
            .max_by_key(|entry| (entry.activates_at, entry.key.kid()))
            .map(|entry| entry.key.clone())
            .ok_or(KeyError::NoneActive)
    }

    /// The published keys: next, current and previous ones.
    pub fn key_set(&self, now: i64) -> KeySet {
        KeySet::new(self.published(now).map(|entry| entry.key.public_jwk().clone()).collect())
    }

    /// When the next published key retires, if one will.
    pub fn next_retirement(&self, now: i64) -> Option<i64> {
        self.published(now).filter_map(|entry| entry.retires_at).min()
    }

    /// The state of the key `kid`. `None` if there is no such key.
    pub fn state(&self, kid: &str, now: i64) -> Option<KeyState> {
        let entry = self.entries.iter().find(|entry| entry.key.kid() == kid)?;
        Some(match self.current(entry.key.algorithm(), now) {
            _ if entry.retires_at.is_some_and(|at| at <= now) => KeyState::Retired,
            _ if now < entry.activates_at => KeyState::Next,
            Ok(current) if current.kid() == kid => KeyState::Current,
            _ => KeyState::Previous,
        })
    }

    /// When a key that is made now would start to sign, if one is due. The first key of all signs at
    /// once, because no verifier has cached a key set without it.
    pub fn due(&self, algorithm: Algorithm, rotation: Rotation, now: i64) -> Option<i64> {
        let soonest = now.saturating_add(rotation.lead);
        let of_algorithm = self.published(now).filter(|entry| entry.key.algorithm() == algorithm);
        match of_algorithm.map(|entry| entry.activates_at).max() {
            None if self.entries.is_empty() => Some(now),
            None => Some(soonest),
            Some(youngest) => {
                let planned = youngest.saturating_add(rotation.period);
                (rotation.period > 0 && planned <= soonest).then_some(planned.max(soonest))
            }
        }
    }

    /// The keys that have a successor but no retirement time, each with that time.
    pub fn retirements(&self, rotation: Rotation) -> Vec<(String, i64)> {
        let endless = self.entries.iter().filter(|entry| entry.retires_at.is_none());
        endless
            .filter_map(|old| {
                let successor_activates_at = self.successor_activates_at(old)?;
                Some((old.key.kid().to_owned(), successor_activates_at + rotation.stay))
            })
            .collect()
    }

    fn successor_activates_at(&self, old: &RingEntry) -> Option<i64> {
        let same_algorithm =
            self.entries.iter().filter(|entry| entry.key.algorithm() == old.key.algorithm());
        let activations = same_algorithm.map(|entry| entry.activates_at);
        activations.filter(|activates_at| *activates_at > old.activates_at).min()
    }

    /// The `kid` of every key of `algorithm`.
    pub fn kids(&self, algorithm: Algorithm) -> Vec<String> {
        let keys = self.entries.iter().map(|entry| &entry.key);
        keys.filter(|key| key.algorithm() == algorithm).map(|key| key.kid().to_owned()).collect()
    }

    fn published(&self, now: i64) -> impl Iterator<Item = &RingEntry> {
        self.entries.iter().filter(move |entry| entry.retires_at.is_none_or(|at| now < at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROTATION: Rotation = Rotation { period: 1000, lead: 300, stay: 900 };

    fn entry(activates_at: i64, retires_at: Option<i64>) -> RingEntry {
        let key = Arc::new(SigningKey::generate(Algorithm::ES256).unwrap());
        RingEntry { key, activates_at, retires_at }
    }

    fn current(ring: &KeyRing, now: i64) -> String {
        ring.current(Algorithm::ES256, now).unwrap().kid().to_owned()
    }

    #[test]
    fn a_key_is_published_before_it_signs_and_after_it_has_signed() {
        let (old, new) = (entry(0, Some(300)), entry(100, None));
        let (old_kid, new_kid) = (old.key.kid().to_owned(), new.key.kid().to_owned());
        let ring = KeyRing::new(vec![new, old]);

        assert_eq!(current(&ring, 99), old_kid);
        assert_eq!(current(&ring, 100), new_kid);
        assert_eq!(ring.key_set(50).keys().len(), 2);
        assert_eq!(ring.key_set(299).keys().len(), 2);
        assert_eq!(ring.key_set(300).keys().len(), 1);
        assert_eq!((ring.next_retirement(299), ring.next_retirement(300)), (Some(300), None));
        let states = |now| [&old_kid, &new_kid].map(|kid| ring.state(kid, now).unwrap());
        assert_eq!(states(99), [KeyState::Current, KeyState::Next]);
        assert_eq!(states(100), [KeyState::Previous, KeyState::Current]);
        assert_eq!(states(300), [KeyState::Retired, KeyState::Current]);
    }

    #[test]
    fn an_empty_ring_signs_nothing() {
        let none = KeyRing::default().current(Algorithm::ES256, 0);
        assert!(matches!(none, Err(KeyError::NoneActive)));
    }

    #[test]
    fn a_key_is_due_its_lead_before_its_predecessor_has_signed_for_its_period() {
        let ring = KeyRing::new(vec![entry(0, None)]);
        let due = |now| ring.due(Algorithm::ES256, ROTATION, now);
        assert_eq!((due(699), due(700), due(5000)), (None, Some(1000), Some(5300)));
        let by_hand = Rotation { period: 0, ..ROTATION };
        assert_eq!(ring.due(Algorithm::ES256, by_hand, 5000), None);
    }

    #[test]
    fn the_first_key_signs_at_once_and_the_first_of_another_algorithm_only_once_it_is_known() {
        assert_eq!(KeyRing::default().due(Algorithm::ES256, ROTATION, 7), Some(7));
        let ring = KeyRing::new(vec![entry(0, None)]);
        assert_eq!(ring.due(Algorithm::RS256, ROTATION, 7), Some(307));
    }

    #[test]
    fn a_key_with_a_successor_ends_a_token_life_after_the_successor_signs() {
        let (first, second, third) = (entry(0, None), entry(1000, None), entry(2000, None));
        let kids = [&first, &second].map(|entry| entry.key.kid().to_owned());
        let ring = KeyRing::new(vec![third, first, second]);
        let mut ends = ring.retirements(ROTATION);
        ends.sort_by_key(|(_, at)| *at);
        assert_eq!(ends, [(kids[0].clone(), 1900), (kids[1].clone(), 2900)]);
    }
}
