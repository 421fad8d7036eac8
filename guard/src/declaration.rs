//! The scopes and groups that a tool, prompt or resource declares, and whether it is hidden without them.

use rmcp::model::{JsonObject, MetaObject, Prompt, Resource, ResourceTemplate, Tool};
use serde_json::Value;

/// Member of `_meta` with the needed scopes. Clients may read it, too.
const SCOPES: &str = "portcullis/scopes";
/// Member of `_meta` with the groups whose members alone may use it.
const GROUPS: &str = "portcullis/groups";
/// Begins a requirement that names a group instead of a scope.
const GROUP_PREFIX: &str = "group:";
/// Member of `_meta` that hides a definition from callers without them.
const HIDDEN: &str = "portcullis/hidden";

/// Declares that a tool, prompt or resource needs all of `scopes`. A caller without them sees it in
/// lists and gets a 403 that names the scopes to request.
///
/// `group:` in front of a name demands that the caller is in this group, as the issuer says. That is not a
/// matter of consent, so callers outside it get a 403 without scopes to request.
///
/// `#[tool(description = "…", meta = needs(["notes:write", "group:platform"]))]`
pub fn needs<const N: usize>(scopes: [&str; N]) -> MetaObject {
    let (groups, scopes): (Vec<&str>, Vec<&str>) =
        scopes.into_iter().partition(|requirement| group_of(requirement).is_some());
    let groups: Vec<&str> = groups.into_iter().filter_map(group_of).collect();
    let mut meta = JsonObject::from_iter([(SCOPES.to_owned(), Value::from(scopes))]);
    if !groups.is_empty() {
        meta.insert(GROUPS.to_owned(), Value::from(groups));
    }
    MetaObject(meta)
}

/// The group that a requirement names, if it is not a scope.
pub(crate) fn group_of(requirement: &str) -> Option<&str> {
    requirement.strip_prefix(GROUP_PREFIX)
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

/// The scopes that a definition declares, and its groups with their prefix. `None` if it declares nothing.
pub(crate) fn declared_needs(definition: &impl Declared) -> Option<Vec<String>> {
    let members = &definition.meta()?.0;
    let scopes = members.get(SCOPES)?.as_array()?.iter().filter_map(Value::as_str);
    let groups = members.get(GROUPS).and_then(Value::as_array).into_iter().flatten();
    let groups = groups.filter_map(Value::as_str).map(|group| format!("{GROUP_PREFIX}{group}"));
    Some(scopes.map(str::to_owned).chain(groups).collect())
}

pub(crate) fn is_hidden(definition: &impl Declared) -> bool {
    definition.meta().and_then(|meta| meta.0.get(HIDDEN)) == Some(&Value::Bool(true))
}
