//! The line of the master secrets that seals and tags.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// The index of the sealing line, shared by everything that is derived from the secrets.
#[derive(Clone, Default)]
pub(crate) struct SealingLine(Arc<AtomicUsize>);

impl SealingLine {
    pub(crate) fn index(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, index: usize) {
        self.0.store(index, Ordering::Relaxed);
    }
}
