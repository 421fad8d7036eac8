//! The access token that the next request carries.

use std::sync::{Arc, PoisonError, RwLock};

use crate::oauth::dpop::AccessToken;

/// The access token that the next request carries. [`Access`](super::access::Access) sets it, the
/// open connection reads it; clones share it, so a token can change while a connection stays open.
#[derive(Clone, Debug, Default)]
pub(crate) struct TokenSlot(Arc<RwLock<Option<AccessToken>>>);

impl TokenSlot {
    pub(crate) fn set(&self, token: Option<AccessToken>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = token;
    }

    pub(crate) fn get(&self) -> Option<AccessToken> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
