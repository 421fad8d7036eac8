//! A cache of verified signatures. Verifying one costs as much as the rest of a request.
//!
//! A cached result counts only for the key set that it was verified with, so a new key set has every
//! token verified again. Claims that depend on time are checked for each request.

use std::{sync::Arc, time::Duration};

use keys::{AccessTokenClaims, PublishedKeys, VerifyError};
use moka::sync::Cache;

use crate::{
    bearer::BearerToken,
    digest::{Digest, sha256},
};

/// Maximum size of the cache, in bytes of tokens. The claims take about as much memory again.
const MAX_BYTES: u64 = 32 << 20;
/// Time after which an unused token is forgotten.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// The claims of verified tokens.
#[derive(Debug)]
pub(crate) struct VerifiedTokens(Cache<Digest, Arc<Verified>>);

#[derive(Debug)]
struct Verified {
    claims: Arc<AccessTokenClaims>,
    /// The keys that it was verified with.
    keys: Arc<PublishedKeys>,
    size: u32,
}

impl VerifiedTokens {
    pub(crate) fn new() -> Self {
        let cache = Cache::builder()
            .max_capacity(MAX_BYTES)
            .weigher(|_, verified: &Arc<Verified>| verified.size)
            .time_to_idle(IDLE_TIMEOUT)
            .build();
        Self(cache)
    }

    /// The claims of `token`, from the cache or by `verify`. Failures are not cached.
    pub(crate) fn claims(
        &self,
        token: &BearerToken,
        keys: &Arc<PublishedKeys>,
        verify: impl FnOnce() -> Result<AccessTokenClaims, VerifyError>,
    ) -> Result<Arc<AccessTokenClaims>, VerifyError> {
        let digest = sha256(token.expose());
        let known = self.0.get(&digest).filter(|known| Arc::ptr_eq(&known.keys, keys));
        if let Some(known) = known {
            return Ok(known.claims.clone());
        }
        let claims = Arc::new(verify()?);
        let size = u32::try_from(token.expose().len()).unwrap_or(u32::MAX);
        let verified = Verified { claims: claims.clone(), keys: keys.clone(), size };
        self.0.insert(digest, Arc::new(verified));
        Ok(claims)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use axum::http::{HeaderMap, Uri, header::AUTHORIZATION};
    use keys::Audience;

    use super::*;

    fn token(text: &str) -> BearerToken {
        let value = format!("Bearer {text}").parse().unwrap();
        let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
        BearerToken::from_request(&headers, &Uri::from_static("/mcp")).unwrap().1
    }

    fn claims() -> AccessTokenClaims {
        AccessTokenClaims {
            iss: "https://a.test".into(),
            sub: "nick".into(),
            aud: Audience::One("https://mcp.test/mcp".into()),
            client_id: "c".into(),
            scope: String::new(),
            exp: 600,
            iat: 0,
            nbf: None,
            jti: "1".into(),
            auth_time: None,
            acr: None,
            cnf: None,
            act: None,
            name: None,
            preferred_username: None,
            picture: None,
            email: None,
            email_verified: None,
        }
    }

    /// How often a signature was checked.
    #[derive(Default)]
    struct Checks(Cell<u32>);

    impl Checks {
        fn good(&self) -> Result<AccessTokenClaims, VerifyError> {
            self.0.set(self.0.get() + 1);
            Ok(claims())
        }

        fn bad(&self) -> Result<AccessTokenClaims, VerifyError> {
            self.0.set(self.0.get() + 1);
            Err(VerifyError::BadSignature)
        }
    }

    #[test]
    fn the_signature_of_a_token_is_checked_once() {
        let (tokens, keys, checks) = (VerifiedTokens::new(), Arc::default(), Checks::default());
        for _ in 0..3 {
            let found = tokens.claims(&token("a.b.c"), &keys, || checks.good());
            assert_eq!(found.as_deref(), Ok(&claims()));
        }
        assert_eq!(checks.0.get(), 1);
        tokens.claims(&token("a.b.d"), &keys, || checks.good()).unwrap();
        assert_eq!(checks.0.get(), 2, "the other token is another");
    }

    #[test]
    fn under_other_keys_it_is_checked_anew() {
        let (tokens, checks) = (VerifiedTokens::new(), Checks::default());
        tokens.claims(&token("a.b.c"), &Arc::default(), || checks.good()).unwrap();
        let found = tokens.claims(&token("a.b.c"), &Arc::default(), || checks.bad());
        assert_eq!(found, Err(VerifyError::BadSignature));
    }

    #[test]
    fn a_token_that_was_refused_is_checked_anew() {
        let (tokens, keys, checks) = (VerifiedTokens::new(), Arc::default(), Checks::default());
        tokens.claims(&token("a.b.c"), &keys, || checks.bad()).unwrap_err();
        tokens.claims(&token("a.b.c"), &keys, || checks.bad()).unwrap_err();
        assert_eq!(checks.0.get(), 2);
    }
}
