//! Proof of possession: a token that is bound to a key counts only together with a fresh proof
//! by that key (DPoP, RFC 9449 §7).

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use aws_lc_rs::{hmac, rand};
use axum::http::{HeaderMap, Method};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keys::{AccessTokenClaims, DpopCheck, DpopProof, MAX_DPOP_AGE};

use crate::{
    GuardError,
    bearer::{BearerToken, Scheme},
    caller::Person,
    digest::{Digest, sha256},
    refusal::Refusal,
};

/// The algorithms of proofs, as `dpop_signing_alg_values_supported` and challenges name them.
pub(crate) const ALGORITHMS: [&str; 3] = keys::Algorithm::NAMES;
/// Proofs to remember, all in all and of one person, who can have many keys. They are never
/// forgotten early: when the memory is full, proofs are refused.
const MAX_PROOFS: usize = 500_000;
const MAX_PROOFS_OF_A_PERSON: usize = 20_000;
/// Seconds that a nonce is given out; it counts for as long again.
const NONCE_WINDOW: i64 = 120;

/// How the guard treats bound tokens.
#[derive(Debug)]
pub(crate) struct Possession {
    /// Whether tokens that are not bound are refused.
    pub(crate) required: bool,
    nonces: Option<Nonces>,
    seen: Mutex<Seen>,
}

/// Proofs that still count, told by the hash of their key and `jti`.
#[derive(Debug, Default)]
struct Seen {
    proofs: HashMap<Digest, Remembered>,
    by_person: HashMap<Person, usize>,
    swept_at: i64,
}

#[derive(Debug)]
struct Remembered {
    person: Person,
    until: i64,
}

/// What a request that came with `scheme` must show.
pub(crate) struct Shown<'a> {
    pub(crate) scheme: Scheme,
    pub(crate) token: &'a BearerToken,
    pub(crate) method: &'a Method,
    pub(crate) headers: &'a HeaderMap,
    /// The public URL of the resource, in the spelling that the client uses. `Host` decides
    /// nothing else of it.
    pub(crate) url: &'a str,
}

impl Possession {
    /// Refuses unbound tokens if `required`, and asks for nonces if told to.
    pub(crate) fn new(required: bool, with_nonces: bool) -> Result<Self, GuardError> {
        let nonces = with_nonces.then(Nonces::new).transpose()?;
        Ok(Self { required, nonces, seen: Mutex::default() })
    }

    /// Checks that whoever sends a token with these claims holds its key, if it has one.
    pub(crate) fn check(
        &self,
        claims: &AccessTokenClaims,
        shown: &Shown<'_>,
        now: i64,
    ) -> Result<(), Refusal> {
        let key = claims.cnf.as_ref().map(|confirmation| confirmation.jkt.as_str());
        match (shown.scheme, key) {
            (Scheme::Bearer, None) if self.required => Err(Refusal::Unbound),
            (Scheme::Bearer, None) => Ok(()),
            (Scheme::Bearer, Some(_)) => Err(Refusal::BoundAsBearer),
            (Scheme::Dpop, None) => Err(Refusal::Unbound),
            (Scheme::Dpop, Some(key)) => {
                let proof = self.check_proof(key, shown, now)?;
                self.remember(&proof, Person::new(&claims.iss, &claims.sub), now)
            }
        }
    }

    fn check_proof(&self, key: &str, shown: &Shown<'_>, now: i64) -> Result<DpopProof, Refusal> {
        let proof = shown.headers.get("dpop").ok_or(Refusal::NoProof)?;
        let proof = proof.to_str().map_err(|_| Refusal::NoProof)?;
        let check = DpopCheck {
            method: shown.method.as_str(),
            url: shown.url,
            access_token: Some(shown.token.expose()),
            now,
        };
        let proof = DpopProof::verify(proof, &check)?;
        if proof.thumbprint != key {
            return Err(Refusal::OtherKey);
        }
        if let Some(nonces) = &self.nonces
            && !proof.nonce.as_ref().is_some_and(|nonce| nonces.accepts(nonce, now))
        {
            return Err(Refusal::NonceDue);
        }
        Ok(proof)
    }

    /// A proof counts once on this server. A replica of it has a memory of its own; nonces that
    /// replicas do not share keep a proof from being shown to another.
    fn remember(&self, proof: &DpopProof, person: Person, now: i64) -> Result<(), Refusal> {
        let name = sha256(&format!("{} {}", proof.thumbprint, proof.jti));
        let until = proof.issued_at.saturating_add(MAX_DPOP_AGE);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.remember(name, Remembered { person, until }, now)
    }

    /// The nonce for the next proof, if one is asked for.
    pub(crate) fn next_nonce(&self, now: i64) -> Option<String> {
        self.nonces.as_ref().map(|nonces| nonces.issue(now))
    }
}

impl Seen {
    fn remember(&mut self, name: Digest, proof: Remembered, now: i64) -> Result<(), Refusal> {
        if self.room_for(&proof.person).is_err() && self.swept_at != now {
            self.sweep(now);
        }
        if self.proofs.contains_key(&name) {
            return Err(Refusal::ProofReplayed);
        }
        self.room_for(&proof.person)?;
        *self.by_person.entry(proof.person.clone()).or_default() += 1;
        self.proofs.insert(name, proof);
        Ok(())
    }

    fn room_for(&self, person: &Person) -> Result<(), Refusal> {
        let of_person = self.by_person.get(person).copied().unwrap_or_default();
        if of_person >= MAX_PROOFS_OF_A_PERSON {
            Err(Refusal::TooManyProofs)
        } else if self.proofs.len() >= MAX_PROOFS {
            Err(Refusal::ProofsExhausted)
        } else {
            Ok(())
        }
    }

    /// Forgets what no longer counts. It walks through everything, so it is done once a second at
    /// most, however many proofs come.
    fn sweep(&mut self, now: i64) {
        self.swept_at = now;
        let by_person = &mut self.by_person;
        self.proofs.retain(|_, proof| {
            let counts = now <= proof.until;
            if let Some(count) = by_person.get_mut(&proof.person).filter(|_| !counts) {
                *count -= 1;
            }
            counts
        });
        by_person.retain(|_, count| *count > 0);
    }
}

/// Nonces without memory: the time, and a tag that only this server can make.
struct Nonces(hmac::Key);

impl Nonces {
    fn new() -> Result<Self, GuardError> {
        let mut key = [0; 32];
        rand::fill(&mut key).map_err(|_| GuardError::Randomness)?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &key)))
    }

    fn issue(&self, now: i64) -> String {
        self.of_window(now.div_euclid(NONCE_WINDOW))
    }

    /// The nonce of the present window or the one before.
    fn accepts(&self, nonce: &str, now: i64) -> bool {
        let window = now.div_euclid(NONCE_WINDOW);
        [window, window.saturating_sub(1)].into_iter().any(|window| self.of_window(window) == nonce)
    }

    fn of_window(&self, window: i64) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, &window.to_be_bytes()))
    }
}

impl fmt::Debug for Nonces {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Nonces(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(jti: &str) -> DpopProof {
        DpopProof { thumbprint: "key".into(), jti: jti.into(), issued_at: 1000, nonce: None }
    }

    fn person(number: usize) -> Person {
        Person::new("https://a.test", &number.to_string())
    }

    #[test]
    fn a_proof_counts_once_and_the_same_jti_of_another_key_is_another_proof() {
        let possession = Possession::new(false, false).unwrap();
        let remember = |proof: &DpopProof, now| possession.remember(proof, person(0), now);
        assert_eq!(remember(&proof("a"), 1000), Ok(()));
        assert_eq!(remember(&proof("a"), 1001), Err(Refusal::ProofReplayed));
        let other = DpopProof { thumbprint: "other".into(), ..proof("a") };
        assert_eq!(remember(&other, 1001), Ok(()));
    }

    fn numbered(number: usize) -> Digest {
        let mut digest = Digest::default();
        digest[..8].copy_from_slice(&number.to_be_bytes());
        digest
    }

    /// A memory of so many proofs, all the shares of some people.
    fn filled(number: usize) -> Possession {
        let possession = Possession::new(false, false).unwrap();
        let of_each = MAX_PROOFS_OF_A_PERSON;
        let remembered = |n: usize| Remembered { person: person(n / of_each), until: 1060 };
        {
            let mut seen = possession.seen.lock().unwrap();
            seen.proofs = (0..number).map(|n| (numbered(n), remembered(n))).collect();
            seen.by_person = (0..number / of_each).map(|n| (person(n), of_each)).collect();
        }
        possession
    }

    #[test]
    fn when_the_memory_is_full_proofs_are_refused_until_old_ones_no_longer_count() {
        let possession = filled(MAX_PROOFS);
        let remember = |now| possession.remember(&proof("a"), person(usize::MAX), now);
        assert_eq!(remember(1060), Err(Refusal::ProofsExhausted));
        assert_eq!(remember(1061), Ok(()));
        assert_eq!(possession.seen.lock().unwrap().by_person.len(), 1);
    }

    #[test]
    fn a_person_who_fills_their_share_by_whatever_keys_keeps_nobody_else_out() {
        let possession = filled(MAX_PROOFS_OF_A_PERSON);
        let remember = |who, now| possession.remember(&proof("a"), person(who), now);
        assert_eq!(remember(0, 1060), Err(Refusal::TooManyProofs));
        assert_eq!(remember(1, 1060), Ok(()));
        let other_key = DpopProof { thumbprint: "other".into(), ..proof("a") };
        assert_eq!(possession.remember(&other_key, person(0), 1061), Ok(()));
    }

    #[test]
    fn a_nonce_counts_in_its_window_and_the_next_and_only_here() {
        let (here, elsewhere) = (Nonces::new().unwrap(), Nonces::new().unwrap());
        let nonce = here.issue(1200);
        assert!(here.accepts(&nonce, 1200));
        assert!(here.accepts(&nonce, 1200 + 2 * NONCE_WINDOW - 1));
        assert!(!here.accepts(&nonce, 1200 + 2 * NONCE_WINDOW));
        assert!(!elsewhere.accepts(&nonce, 1200));
        assert!(!here.accepts("", 1200));
    }
}
