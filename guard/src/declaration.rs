//! The scopes that a tool, prompt or resource declares, and whether it is hidden without them.

use rmcp::model::{JsonObject, MetaObject, Prompt, Resource, ResourceTemplate, Tool};
use serde_json::Value;

/// Member of `_meta` with the needed scopes. Clients may read it, too.
const SCOPES: &str = "portcullis/scopes";
/// Member of `_meta` that hides a definition from callers without the scopes.
const HIDDEN: &str = "portcullis/hidden";

/// Declares that a tool, prompt or resource needs all of `scopes`. A caller without them sees it in
/// lists and gets a 403 that names the scopes to request.
///
/// `#[tool(description = "…", meta = needs(["notes:write"]))]`
pub fn needs<const N: usize>(scopes: [&str; N]) -> MetaObject {
    MetaObject(JsonObject::from_iter([(SCOPES.to_owned(), Value::from(scopes.to_vec()))]))
}

/// Like [`needs`], and hides the definition from callers without all of `scopes` in lists made with
/// [`Caller::visible`](crate::Caller::visible).
pub fn hidden_without<const N: usize>(scopes: [&str; N]) -> MetaObject {
    let mut meta = needs(scopes);
    meta.0.insert(HIDDEN.to_owned(), Value::Bool(true));
    meta
}

/// A definition that can declare scopes: a tool, a prompt, a resource or a template.
pub trait Declared {
    /// Its `_meta`, as made by [`needs`] or [`hidden_without`].
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

/// The scopes that a definition declares. `None` if it declares nothing.
pub(crate) fn declared_scopes(definition: &impl Declared) -> Option<Vec<String>> {
    let scopes = definition.meta()?.0.get(SCOPES)?.as_array()?;
    Some(scopes.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

pub(crate) fn is_hidden(definition: &impl Declared) -> bool {
    definition.meta().and_then(|meta| meta.0.get(HIDDEN)) == Some(&Value::Bool(true))
}
