//! Verified tokens, and a cache of them. Verifying a signature costs more than the rest of a request.
//!
//! A cached token counts only under the key set that it was verified with, so a new key set has every
//! token verified again. What depends on time is checked for each request.

use std::{sync::Arc, time::Duration};

use keys::{AccessTokenClaims, Lifetime, PublishedKeys};
use moka::sync::Cache;

use crate::{caller::Caller, digest::Digest, scope_hierarchy::ScopeHierarchy};

/// Maximum size of the cache, in bytes of tokens. The claims take about as much memory again.
const MAX_BYTES: u64 = 32 << 20;
/// Time after which an unused token is forgotten.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// A token that has passed every check but those of revocation and possession.
#[derive(Debug)]
pub(crate) struct VerifiedToken {
    pub(crate) caller: Caller,
    pub(crate) lifetime: Lifetime,
    /// The thumbprint of the key that the token is bound to.
    pub(crate) bound_to: Option<String>,
}

/// The tokens whose signatures were verified lately, by their hash.
#[derive(Debug)]
pub(crate) struct VerifiedTokens(Cache<Digest, Known>);

/// A cached token.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) token: Arc<VerifiedToken>,
    /// The keys that it was verified with.
    keys: Arc<PublishedKeys>,
    size: u32,
}

impl VerifiedToken {
    /// A token with these claims, signed by the key `key_id` unless it is opaque.
    pub(crate) fn new(
        claims: AccessTokenClaims,
        key_id: Option<String>,
        hierarchy: &ScopeHierarchy,
    ) -> Self {
        Self {
            lifetime: claims.lifetime(),
            bound_to: claims.cnf.as_ref().map(|confirmation| confirmation.jkt.clone()),
            caller: Caller::from_claims(claims, key_id, hierarchy),
        }
    }
}

impl Known {
    /// The token, if `keys` are those that it was verified with.
    pub(crate) fn under(self, keys: &Arc<PublishedKeys>) -> Option<Arc<VerifiedToken>> {
        Arc::ptr_eq(&self.keys, keys).then_some(self.token)
    }
}

impl VerifiedTokens {
    pub(crate) fn new() -> Self {
        let cache = Cache::builder()
            .max_capacity(MAX_BYTES)
            .weigher(|_, known: &Known| known.size)
            .time_to_idle(IDLE_TIMEOUT)
            .build();
        Self(cache)
    }

    /// The token with this hash.
    pub(crate) fn get(&self, digest: &Digest) -> Option<Known> {
        self.0.get(digest)
    }

    /// Remembers a token of `length` bytes whose signature was verified with `keys`.
    pub(crate) fn insert(
        &self,
        digest: Digest,
        length: usize,
        token: Arc<VerifiedToken>,
        keys: Arc<PublishedKeys>,
    ) {
        let size = u32::try_from(length).unwrap_or(u32::MAX);
        self.0.insert(digest, Known { token, keys, size });
    }
}
