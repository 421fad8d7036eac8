//! Nonces for DPoP proofs that need no memory: each is the tag of a time interval, by a key of the
//! server (RFC 9449 §8 and §9).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// Seconds for which a nonce is issued. It is accepted for as long again.
const NONCE_INTERVAL: i64 = 120;

/// The intervals whose nonces are accepted at `now`, as bytes to tag: first the current one, whose
/// nonce is issued, then the one before.
pub fn dpop_nonce_intervals(now: i64) -> [[u8; 8]; 2] {
    let current = now.div_euclid(NONCE_INTERVAL);
    [current.to_be_bytes(), current.saturating_sub(1).to_be_bytes()]
}

/// The nonce of the interval that has this tag.
pub fn dpop_nonce(tag: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_current_for_two_minutes_and_accepted_for_two_more() {
        let [current, _] = dpop_nonce_intervals(1200);
        let is_accepted = |now| dpop_nonce_intervals(now).contains(&current);
        assert_eq!(dpop_nonce_intervals(1200 + NONCE_INTERVAL - 1)[0], current);
        assert_ne!(dpop_nonce_intervals(1200 + NONCE_INTERVAL)[0], current);
        assert!(is_accepted(1200 + 2 * NONCE_INTERVAL - 1));
        assert!(!is_accepted(1200 + 2 * NONCE_INTERVAL));
        assert!(!is_accepted(1199));
        assert_ne!(dpop_nonce_intervals(-1)[0], dpop_nonce_intervals(0)[0]);
    }
}
