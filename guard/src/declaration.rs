//! What a tool, a prompt or a resource says of itself: which scopes it needs, and who sees it.

use rmcp::model::{JsonObject, MetaObject, Prompt, Resource, ResourceTemplate, Tool};
use serde_json::Value;

/// Where a definition says which scopes it needs. Clients may read it, too.
const SCOPES: &str = "portcullis/scopes";
/// Where it says that only callers who have them see it.
const HIDDEN: &str = "portcullis/hidden";

/// What a tool, prompt or resource says of itself: calling it needs all of `scopes`. A caller
/// without them sees it in lists, is told by a 403 what to ask for, and comes back with it.
///
/// `#[tool(description = "…", meta = needs(["notes:write"]))]`
pub fn needs<const N: usize>(scopes: [&str; N]) -> MetaObject {
    MetaObject(JsonObject::from_iter([(SCOPES.to_owned(), Value::from(scopes.to_vec()))]))
}

/// The same, and callers without all of `scopes` do not see it in lists made by
/// [`Caller::visible`](super::Caller::visible).
pub fn hidden_without<const N: usize>(scopes: [&str; N]) -> MetaObject {
    let mut meta = needs(scopes);
    meta.0.insert(HIDDEN.to_owned(), Value::Bool(true));
    meta
}

/// A definition that can declare scopes: a tool, a prompt, a resource or a template.
pub trait Declared {
    /// Its `_meta`, as [`needs`] or [`hidden_without`] made it.
    fn meta(&self) -> Option<&MetaObject>;
}

macro_rules! declared {
    ($($definition:ty),+) => {$(
        impl Declared for $definition {
            fn meta(&self) -> Option<&MetaObject> {
                self.meta.as_ref()
            }
        }
    )+};
}

declared!(Tool, Prompt, Resource, ResourceTemplate);

/// The scopes that a definition declares; `None` where it declares nothing.
pub(crate) fn declared_scopes(definition: &impl Declared) -> Option<Vec<String>> {
    let scopes = definition.meta()?.0.get(SCOPES)?.as_array()?;
    Some(scopes.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

pub(crate) fn is_hidden(definition: &impl Declared) -> bool {
    definition.meta().and_then(|meta| meta.0.get(HIDDEN)) == Some(&Value::Bool(true))
}
