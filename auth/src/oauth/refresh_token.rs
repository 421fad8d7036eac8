//! Refresh tokens that rotate, and what a presented one means (OAuth 2.1 §4.3).
//!
//! A token names its grant and its generation and carries a tag, so that only tokens that this
//! server has made are ever judged. Its successor is derived from it, so that every replica
//! answers a repeated request with the same one while only a hash is stored.

use aws_lc_rs::rand;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keys::Authenticator;
use std::fmt;
use uuid::Uuid;

use super::{error::OAuthError, secret};

const PREFIX: &str = "pcr_";
/// Most rotations whose time a grant remembers. A client that rotates faster loses the grace.
const REMEMBERED_ROTATIONS: usize = 16;

/// A refresh token that this server has made.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken {
    grant_id: Uuid,
    generation: u32,
    secret: [u8; 32],
}

/// What of a grant decides about a refresh token.
#[derive(Clone, Debug)]
pub struct Family {
    /// Hash of the one token that is good now.
    pub current_hash: String,
    /// Its generation.
    pub generation: u32,
    /// When the generations before were rotated, the latest first; seconds since 1970.
    pub rotations: Vec<i64>,
}

/// What a presented token means.
#[derive(Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It is the good one: rotate.
    Current,
    /// It was rotated a moment ago and its successor is still unused: give the successor again.
    Repeated(RefreshToken),
    /// It was rotated a moment ago, but its successor has been used: refuse, revoke nothing.
    Superseded,
    /// It was rotated long ago, so this is a replay. Revoke the family.
    Replayed,
}

impl RefreshToken {
    /// The first token of a grant.
    pub fn first(grant_id: Uuid) -> Result<Self, OAuthError> {
        let mut secret = [0; 32];
        rand::fill(&mut secret)
            .map_err(|error| OAuthError::server_error("no_randomness", error.to_string()))?;
        Ok(Self { grant_id, generation: 0, secret })
    }

    /// Reads a presented token; `None` unless this server made it.
    pub fn parse(text: &str, authenticator: &Authenticator) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let (body, tag) = bytes.split_at_checked(52)?;
        if !authenticator.verify(body, tag) {
            return None;
        }
        let (grant_id, rest) = body.split_first_chunk::<16>()?;
        let (generation, secret) = rest.split_first_chunk::<4>()?;
        Some(Self {
            grant_id: Uuid::from_bytes(*grant_id),
            generation: u32::from_be_bytes(*generation),
            secret: secret.try_into().ok()?,
        })
    }

    /// The text for the client.
    pub fn expose(&self, authenticator: &Authenticator) -> String {
        let body = self.body();
        let tag = authenticator.tag(&body);
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode([body.as_slice(), &tag].concat()))
    }

    /// The grant it belongs to.
    pub fn grant_id(&self) -> Uuid {
        self.grant_id
    }

    /// What is stored of it. The tag is left out, so that a change of master secret does not
    /// change the hash.
    pub fn hash(&self) -> String {
        secret::hash(&URL_SAFE_NO_PAD.encode(self.body()))
    }

    /// The token that follows this one: the same on every replica.
    pub fn successor(&self, authenticator: &Authenticator) -> Self {
        self.successors(authenticator).next().unwrap_or_else(|| self.clone())
    }

    /// What `family` says of this token at the time `now`, with so many seconds of grace.
    pub fn judge(
        &self,
        family: &Family,
        authenticator: &Authenticator,
        now: i64,
        grace: i64,
    ) -> Judgement {
        if secret::same_hash(&self.hash(), &family.current_hash) {
            return Judgement::Current;
        }
        let age = family.generation.saturating_sub(self.generation) as usize;
        let rotated_at = age.checked_sub(1).and_then(|index| family.rotations.get(index));
        if rotated_at.is_none_or(|at| now.saturating_sub(*at) >= grace) {
            return Judgement::Replayed;
        }
        self.successors(authenticator)
            .find(|successor| secret::same_hash(&successor.hash(), &family.current_hash))
            .map_or(Judgement::Superseded, Judgement::Repeated)
    }

    /// One for each master secret: after a change, the last rotation was made under the old one.
    fn successors(&self, authenticator: &Authenticator) -> impl Iterator<Item = Self> {
        let grant_id = self.grant_id;
        let generation = self.generation.saturating_add(1);
        let message = [b"successor".as_slice(), &self.body()].concat();
        let secrets: Vec<_> = authenticator.tags(&message).collect();
        secrets.into_iter().map(move |secret| Self { grant_id, generation, secret })
    }

    fn body(&self) -> Vec<u8> {
        [self.grant_id.as_bytes().as_slice(), &self.generation.to_be_bytes(), &self.secret].concat()
    }
}

impl Family {
    /// The family after a rotation to `successor`.
    pub fn rotated(&self, successor: &RefreshToken, now: i64, grace: i64) -> Self {
        let earlier = self.rotations.iter().copied();
        let earlier = earlier.filter(|at| now.saturating_sub(*at) < grace);
        Self {
            current_hash: successor.hash(),
            generation: successor.generation,
            rotations: std::iter::once(now).chain(earlier).take(REMEMBERED_ROTATIONS).collect(),
        }
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RefreshToken(generation {}, redacted)", self.generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keys::MasterSecrets;

    const GRACE: i64 = 120;

    struct Chain {
        authenticator: Authenticator,
        tokens: Vec<RefreshToken>,
        family: Family,
    }

    /// Rotates once at each of `times`.
    fn chain(times: &[i64]) -> Chain {
        let secrets = MasterSecrets::parse(&MasterSecrets::generate().unwrap()).unwrap();
        let authenticator = secrets.authenticator("refresh-token");
        let first = RefreshToken::first(Uuid::now_v7()).unwrap();
        let mut family =
            Family { current_hash: first.hash(), generation: 0, rotations: Vec::new() };
        let mut tokens = vec![first];
        for now in times {
            let successor = tokens.last().unwrap().successor(&authenticator);
            family = family.rotated(&successor, *now, GRACE);
            tokens.push(successor);
        }
        Chain { authenticator, tokens, family }
    }

    impl Chain {
        fn judge(&self, index: usize, now: i64) -> Judgement {
            self.tokens[index].judge(&self.family, &self.authenticator, now, GRACE)
        }
    }

    #[test]
    fn the_newest_token_is_the_good_one_at_any_time() {
        assert_eq!(chain(&[]).judge(0, 9_999_999), Judgement::Current);
        assert_eq!(chain(&[1000, 2000]).judge(2, 9_999_999), Judgement::Current);
    }

    #[test]
    fn a_repeated_token_gets_the_same_successor_until_the_last_second_of_grace() {
        let chain = chain(&[1000]);
        assert_eq!(chain.judge(0, 1000), Judgement::Repeated(chain.tokens[1].clone()));
        assert_eq!(chain.judge(0, 1119), Judgement::Repeated(chain.tokens[1].clone()));
        assert_eq!(chain.judge(0, 1120), Judgement::Replayed);
    }

    #[test]
    fn once_the_successor_is_used_a_repeated_token_is_refused_but_not_yet_a_replay() {
        let chain = chain(&[1000, 1050]);
        assert_eq!(chain.judge(0, 1100), Judgement::Superseded);
        assert_eq!(chain.judge(0, 1120), Judgement::Replayed);
        assert_eq!(chain.judge(1, 1120), Judgement::Repeated(chain.tokens[2].clone()));
    }

    #[test]
    fn a_token_of_long_ago_is_a_replay_even_while_the_family_is_busy() {
        let chain = chain(&[1000, 2000, 2010]);
        assert_eq!(chain.judge(0, 2011), Judgement::Replayed);
        assert_eq!(chain.judge(1, 2011), Judgement::Superseded);
    }

    #[test]
    fn only_a_token_that_this_server_made_is_read() {
        let chain = chain(&[]);
        let text = chain.tokens[0].expose(&chain.authenticator);
        assert_eq!(RefreshToken::parse(&text, &chain.authenticator), Some(chain.tokens[0].clone()));
        for index in PREFIX.len()..text.len() - 1 {
            let mut bytes = text.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(RefreshToken::parse(&changed, &chain.authenticator), None);
        }
        for text in ["", "pcr_", "pcr_AAAA", "pcc_x"] {
            assert_eq!(RefreshToken::parse(text, &chain.authenticator), None);
        }
    }

    #[test]
    fn only_the_text_that_was_made_is_a_refresh_token() {
        let Chain { authenticator, tokens, .. } = chain(&[]);
        let text = tokens[0].expose(&authenticator);
        let parse = |text: &str| RefreshToken::parse(text, &authenticator);
        assert_eq!(parse(&text).as_ref(), Some(&tokens[0]));
        for place in 0..text.len() {
            assert_eq!(parse(&text[..place]), None);
            assert_eq!(parse(&text[place + 1..]), None);
            for byte in 0..=127 {
                let mut changed = text.clone().into_bytes();
                if changed[place] != byte {
                    changed[place] = byte;
                    assert_eq!(parse(&String::from_utf8(changed).unwrap()), None, "{place} {byte}");
                }
            }
        }
        for added in ["A", "AA", "AAA", "=", "==", " ", "\n", "\0"] {
            assert_eq!(parse(&format!("{text}{added}")), None, "{added:?}");
            assert_eq!(parse(&format!("{added}{text}")), None, "{added:?}");
        }
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX).unwrap()).unwrap();
        let spelled = |bytes: &[u8]| format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        for length in 0..bytes.len() {
            assert_eq!(parse(&spelled(&bytes[..length])), None, "{length} bytes");
        }
        for added in 1..=32 {
            assert_eq!(parse(&spelled(&[bytes.as_slice(), &vec![0; added]].concat())), None);
        }
    }
}
