//! Proof of possession: a token that is bound to a key is accepted only with a fresh proof by that
//! key (DPoP, RFC 9449 §7).

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use aws_lc_rs::{hmac, rand};
use axum::http::{HeaderMap, Method};
use keys::{DpopCheck, DpopProof, MAX_DPOP_AGE, dpop_nonce, dpop_nonce_intervals};

use crate::{
    GuardError,
    bearer::{BearerToken, Scheme},
    caller::User,
    digest::{Digest, sha256},
    refusal::Refusal,
    verified_tokens::VerifiedToken,
};

/// Signature algorithms of proofs, as `dpop_signing_alg_values_supported` and challenges name them.
pub(crate) const ALGORITHMS: [&str; 3] = keys::Algorithm::NAMES;
/// Maximum remembered proofs, in total and of one user, who may have many keys. None is forgotten
/// early: when the memory is full, requests with proofs are refused.
const MAX_PROOFS: usize = 500_000;
const MAX_PROOFS_OF_A_USER: usize = 20_000;

/// Checks of bound tokens.
#[derive(Debug)]
pub(crate) struct Possession {
    /// Whether tokens that are not bound are refused.
    pub(crate) required: bool,
    nonces: Option<Nonces>,
    seen: Mutex<Seen>,
}

/// Proofs that have not expired, by the hash of key and `jti`.
#[derive(Debug, Default)]
struct Seen {
    proofs: HashMap<Digest, Remembered>,
    by_user: HashMap<User, usize>,
    cleaned_at: i64,
}

#[derive(Debug)]
struct Remembered {
    user: User,
    until: i64,
}

/// A token as a request carries it.
pub(crate) struct SentToken<'a> {
    pub(crate) scheme: Scheme,
    pub(crate) token: BearerToken<'a>,
    pub(crate) method: &'a Method,
    pub(crate) headers: &'a HeaderMap,
    /// The public URL of the request, in two pieces. Of `Host`, only a spelling of loopback is taken
    /// over.
    pub(crate) url: [&'a str; 2],
}

impl Possession {
    /// Refuses unbound tokens if `required`, and demands nonces if `with_nonces`.
    pub(crate) fn new(required: bool, with_nonces: bool) -> Result<Self, GuardError> {
        let nonces = with_nonces.then(Nonces::new).transpose()?;
        Ok(Self { required, nonces, seen: Mutex::default() })
    }

    /// Checks that the sender holds the key of a bound token.
    pub(crate) fn check(
        &self,
        token: &VerifiedToken,
        sent: &SentToken<'_>,
        now: i64,
    ) -> Result<(), Refusal> {
        match (sent.scheme, &token.bound_to) {
            (Scheme::Bearer, None) if self.required => Err(Refusal::Unbound),
            (Scheme::Bearer, None) => Ok(()),
            (Scheme::Bearer, Some(_)) => Err(Refusal::BoundAsBearer),
            (Scheme::Dpop, None) => Err(Refusal::Unbound),
            (Scheme::Dpop, Some(key)) => {
                let proof = self.check_proof(key, sent, now)?;
                self.remember(&proof, token.caller.owner().user().clone(), now)
            }
        }
    }

    fn check_proof(&self, key: &str, sent: &SentToken<'_>, now: i64) -> Result<DpopProof, Refusal> {
        let proof = sent.headers.get("dpop").ok_or(Refusal::NoProof)?;
        let proof = proof.to_str().map_err(|_| Refusal::NoProof)?;
        let check = DpopCheck {
            method: sent.method.as_str(),
            url: &sent.url.concat(),
            access_token: Some(sent.token.expose()),
            now,
        };
        let proof = DpopProof::verify(proof, &check)?;
        if proof.thumbprint != key {
            return Err(Refusal::OtherKey);
        }
        if let Some(nonces) = &self.nonces
            && !proof.nonce.as_ref().is_some_and(|nonce| nonces.accepts(nonce, now))
        {
            return Err(Refusal::NonceRequired);
        }
        Ok(proof)
    }

    /// Refuses a proof that was used before on this replica. Other replicas have memories of their
    /// own; nonces, which replicas do not share, keep a proof from being used on two of them.
    fn remember(&self, proof: &DpopProof, user: User, now: i64) -> Result<(), Refusal> {
        let name = sha256(&format!("{} {}", proof.thumbprint, proof.jti));
        let until = proof.issued_at.saturating_add(MAX_DPOP_AGE);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.remember(name, Remembered { user, until }, now)
    }

    /// The nonce for the next proof, if nonces are demanded.
    pub(crate) fn next_nonce(&self, now: i64) -> Option<String> {
        self.nonces.as_ref().map(|nonces| nonces.issue(now))
    }
}

impl Seen {
    fn remember(&mut self, name: Digest, proof: Remembered, now: i64) -> Result<(), Refusal> {
        if self.check_room(&proof.user).is_err() && self.cleaned_at != now {
            self.remove_expired(now);
        }
        if self.proofs.contains_key(&name) {
            return Err(Refusal::ProofReplayed);
        }
        self.check_room(&proof.user)?;
        *self.by_user.entry(proof.user.clone()).or_default() += 1;
        self.proofs.insert(name, proof);
        Ok(())
    }

    fn check_room(&self, user: &User) -> Result<(), Refusal> {
        let of_user = self.by_user.get(user).copied().unwrap_or_default();
        if of_user >= MAX_PROOFS_OF_A_USER {
            Err(Refusal::TooManyProofs)
        } else if self.proofs.len() >= MAX_PROOFS {
            Err(Refusal::ProofsExhausted)
        } else {
            Ok(())
        }
    }

    /// Removes expired proofs. This walks through all of them, so it happens at most once a second.
    fn remove_expired(&mut self, now: i64) {
        self.cleaned_at = now;
        let by_user = &mut self.by_user;
        self.proofs.retain(|_, proof| {
            let is_valid = now <= proof.until;
            if let Some(count) = by_user.get_mut(&proof.user).filter(|_| !is_valid) {
                *count -= 1;
            }
            is_valid
        });
        by_user.retain(|_, count| *count > 0);
    }
}

/// Nonces that need no memory: each is the HMAC of a time interval under a key of this process.
struct Nonces(hmac::Key);

impl Nonces {
    fn new() -> Result<Self, GuardError> {
        let mut key = [0; 32];
        rand::fill(&mut key).map_err(|_| GuardError::Randomness)?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &key)))
    }

    fn issue(&self, now: i64) -> String {
        let [current, _] = dpop_nonce_intervals(now);
        self.nonce(&current)
    }

    /// Accepts the nonces of the current interval and the one before.
    fn accepts(&self, nonce: &str, now: i64) -> bool {
        dpop_nonce_intervals(now).iter().any(|interval| nonce == self.nonce(interval))
    }

    fn nonce(&self, interval: &[u8]) -> String {
        dpop_nonce(hmac::sign(&self.0, interval).as_ref())
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

    fn user(number: usize) -> User {
        User::new("https://a.test", &number.to_string())
    }

    #[test]
    fn a_proof_counts_once_and_the_same_jti_of_another_key_is_another_proof() {
        let possession = Possession::new(false, false).unwrap();
        let remember = |proof: &DpopProof, now| possession.remember(proof, user(0), now);
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
        let of_each = MAX_PROOFS_OF_A_USER;
        let remembered = |n: usize| Remembered { user: user(n / of_each), until: 1060 };
        {
            let mut seen = possession.seen.lock().unwrap();
            seen.proofs = (0..number).map(|n| (numbered(n), remembered(n))).collect();
            seen.by_user = (0..number / of_each).map(|n| (user(n), of_each)).collect();
        }
        possession
    }

    #[test]
    fn when_the_memory_is_full_proofs_are_refused_until_old_ones_no_longer_count() {
        let possession = filled(MAX_PROOFS);
        let remember = |now| possession.remember(&proof("a"), user(usize::MAX), now);
        assert_eq!(remember(1060), Err(Refusal::ProofsExhausted));
        assert_eq!(remember(1061), Ok(()));
        assert_eq!(possession.seen.lock().unwrap().by_user.len(), 1);
    }

    #[test]
    fn a_person_who_fills_their_share_by_whatever_keys_keeps_nobody_else_out() {
        let possession = filled(MAX_PROOFS_OF_A_USER);
        let remember = |who, now| possession.remember(&proof("a"), user(who), now);
        assert_eq!(remember(0, 1060), Err(Refusal::TooManyProofs));
        assert_eq!(remember(1, 1060), Ok(()));
        let other_key = DpopProof { thumbprint: "other".into(), ..proof("a") };
        assert_eq!(possession.remember(&other_key, user(0), 1061), Ok(()));
    }

    #[test]
    fn a_nonce_counts_in_its_window_and_the_next_and_only_here() {
        let (here, elsewhere) = (Nonces::new().unwrap(), Nonces::new().unwrap());
        let nonce = here.issue(1200);
        assert!(here.accepts(&nonce, 1200));
        assert!(here.accepts(&nonce, 1439));
        assert!(!here.accepts(&nonce, 1440));
        assert!(!elsewhere.accepts(&nonce, 1200));
        assert!(!here.accepts("", 1200));
    }
}
