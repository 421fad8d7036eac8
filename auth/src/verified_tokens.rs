//! A cache of verified access tokens. Verifying a signature costs more than the rest of a request.
//!
//! A cached token counts only under the keys that it was verified with, and its lifetime is checked for
//! each request. Whether it or its grant was revoked is not decided here.

use std::sync::Arc;

use keys::{AccessTokenClaims, PublishedKeys, Verifier};
use moka::sync::Cache;

use crate::oauth::secret;

/// Maximum size of the cache, in bytes of tokens. The claims take about as much memory again.
const MAX_BYTES: u64 = 8 << 20;

/// Verifies the access tokens of this server.
#[derive(Debug)]
pub(crate) struct VerifiedTokens {
    verifier: Verifier,
    /// The tokens verified lately, by their hash.
    cache: Cache<String, Verified>,
}

#[derive(Clone, Debug)]
struct Verified {
    claims: Arc<AccessTokenClaims>,
    keys: Arc<PublishedKeys>,
    size: u32,
}

impl VerifiedTokens {
    /// Accepts tokens of `issuer` for any of `audiences`.
    pub(crate) fn new(issuer: String, audiences: Vec<String>) -> Self {
        let cache = Cache::builder()
            .max_capacity(MAX_BYTES)
            .weigher(|_, verified: &Verified| verified.size)
            .build();
        Self { verifier: Verifier::new(issuer, audiences).with_leeway(0), cache }
    }

    /// The claims of `token`, if it is valid at `now` and signed with one of `keys`.
    pub(crate) fn verify(
        &self,
        token: &str,
        keys: Arc<PublishedKeys>,
        now: i64,
    ) -> Option<Arc<AccessTokenClaims>> {
        let hash = secret::hash(token);
        let cached = self.cache.get(&hash).filter(|cached| Arc::ptr_eq(&cached.keys, &keys));
        if let Some(Verified { claims, .. }) = cached {
            return self.verifier.check_lifetime(claims.lifetime(), now).ok().map(|()| claims);
        }
        let claims = Arc::new(self.verifier.verify(token, &keys, now).ok()?);
        let size = u32::try_from(token.len()).unwrap_or(u32::MAX);
        self.cache.insert(hash, Verified { claims: claims.clone(), keys, size });
        Some(claims)
    }
}

#[cfg(test)]
mod tests {
    use keys::{Algorithm, KeySet, SigningKey, TokenType};
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn published(key: &SigningKey) -> Arc<PublishedKeys> {
        Arc::new((&KeySet::new(vec![key.public_jwk().clone()])).into())
    }

    #[test]
    fn a_cached_token_is_checked_again_for_its_lifetime_and_its_keys() {
        let tokens = VerifiedTokens::new("https://a.test".into(), vec!["https://b.test".into()]);
        let key = SigningKey::generate(Algorithm::ES256).unwrap();
        let claims = json!({
            "iss": "https://a.test", "aud": "https://b.test", "sub": "nick", "client_id": "c",
            "scope": "", "jti": "1", "iat": NOW, "exp": NOW + 600,
        });
        let token = key.sign(TokenType::AccessToken, &claims).unwrap();
        let keys = published(&key);
        let first = tokens.verify(&token, keys.clone(), NOW).unwrap();
        let second = tokens.verify(&token, keys.clone(), NOW + 599).unwrap();
        assert!(Arc::ptr_eq(&first, &second), "it was verified twice");
        assert_eq!(tokens.verify(&token, keys.clone(), NOW + 600), None);
        assert_eq!(tokens.verify(&token, keys.clone(), NOW - 1), None);
        let others = published(&SigningKey::generate(Algorithm::ES256).unwrap());
        assert_eq!(tokens.verify(&token, others, NOW), None);
        assert!(tokens.verify(&token, keys, NOW).is_some());
    }
}
