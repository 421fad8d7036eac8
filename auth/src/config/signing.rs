//! Settings of the signing keys. The server and its commands share them.

use clap::Args;
use keys::{Algorithm, Rotation};

use super::ConfigError;

/// Seconds from one look at the stored keys to the next.
pub const RELOAD: i64 = 2;
/// Seconds that clocks of replicas and verifiers may differ.
const DIFFERENCE: i64 = 5;
/// Seconds that a key stays beyond the longest token life.
const MARGIN: i64 = 60;
/// Most keys that one algorithm may have published; verifiers look through no endless set.
const MAX_KEYS: i64 = 30;
/// Verifiers fetch no more often than this, whatever they are told.
const SHORTEST_MAX_AGE: i64 = 10;

/// How signing keys are made and follow one another.
#[derive(Clone, Copy, Debug, Args)]
pub struct KeySetting {
    /// Seconds that verifiers may keep the key set; a new key is published longer than this
    /// before it signs.
    #[arg(long, env = "AUTH_JWKS_MAX_AGE", default_value_t = 300)]
    pub jwks_max_age: i64,
    /// Seconds that a key signs before the next one does; 0 to rotate by `auth keys rotate` only.
    #[arg(long, env = "AUTH_KEY_ROTATION", default_value_t = 30 * 86_400)]
    pub key_rotation: i64,
    /// What tokens are signed with where the resource does not say: ES256, EdDSA or RS256.
    #[arg(long, env = "AUTH_SIGNING_ALGORITHM", default_value_t)]
    pub signing_algorithm: Algorithm,
}

impl KeySetting {
    /// When keys follow one another, for tokens that live so many seconds.
    pub fn rotation(&self, token_lifetime: i64) -> Rotation {
        Rotation {
            period: self.key_rotation,
            lead: self.jwks_max_age + DIFFERENCE,
            stay: token_lifetime + MARGIN,
        }
    }

    /// Refuses times that verifiers could not follow.
    pub(crate) fn check(&self, token_lifetime: i64) -> Result<(), ConfigError> {
        if !(SHORTEST_MAX_AGE..=86_400).contains(&self.jwks_max_age) {
            return Err(ConfigError::JwksMaxAge);
        }
        let rotation = self.rotation(token_lifetime);
        let shortest = (rotation.lead + rotation.stay) / MAX_KEYS + 1;
        if rotation.period == 0 || rotation.period >= shortest {
            Ok(())
        } else {
            Err(ConfigError::KeyRotation(shortest))
        }
    }
}
