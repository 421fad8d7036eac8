//! What one connection records besides its messages.

use std::sync::{Arc, Mutex, PoisonError};

use super::{activity::Activity, pending_request::Warnings};
use crate::http::FetchError;

/// What one connection records besides its messages; clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    /// When the server last said something.
    pub(crate) activity: Activity,
    /// What was passed over in its answers.
    pub(crate) warnings: Warnings,
    failure: Arc<Mutex<Option<FetchError>>>,
}

impl Notes {
    /// Why the last stream broke off, if one has since this was last called. rmcp only says that
    /// it did.
    pub(crate) fn take_failure(&self) -> Option<FetchError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn failed(&self, failure: &FetchError) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure.clone());
    }
}
