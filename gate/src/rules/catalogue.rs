//! What the server has said of its tools.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

/// Most tools that are remembered. Those beyond are treated as if they changed something.
const MAX_TOOLS: usize = 10_000;

/// Whether each tool says that it changes nothing (`readOnlyHint`).
#[derive(Debug, Default)]
pub(super) struct Catalogue(Mutex<HashMap<String, bool>>);

impl Catalogue {
    pub(super) fn learn(&self, name: &str, definition: &Value) {
        let is_read_only =
            definition.pointer("/annotations/readOnlyHint") == Some(&Value::Bool(true));
        let mut known = self.known();
        if known.len() < MAX_TOOLS || known.contains_key(name) {
            known.insert(name.to_owned(), is_read_only);
        }
    }

    pub(super) fn knows(&self, name: &str) -> bool {
        self.known().contains_key(name)
    }

    pub(super) fn is_read_only(&self, name: &str) -> bool {
        self.known().get(name).copied().unwrap_or_default()
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, bool>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
