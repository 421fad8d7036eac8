//! Which scopes an operation needs, declared beside each tool, prompt and resource.

use std::collections::HashMap;

use rmcp::model::{JsonObject, MetaObject, Prompt, Resource, ResourceTemplate, Tool};
use serde_json::Value;

use super::{caller::Caller, operation::Operation};

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
/// [`Caller::visible`].
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
pub(super) fn declared_scopes(definition: &impl Declared) -> Option<Vec<String>> {
    let scopes = definition.meta()?.0.get(SCOPES)?.as_array()?;
    Some(scopes.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

pub(super) fn is_hidden(definition: &impl Declared) -> bool {
    definition.meta().and_then(|meta| meta.0.get(HIDDEN)) == Some(&Value::Bool(true))
}

/// What each operation needs. What is not declared needs the basic scopes, so that forgetting to
/// declare opens nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Requirements {
    pub(super) basic: Vec<String>,
    tools: HashMap<String, Vec<String>>,
    prompts: HashMap<String, Vec<String>>,
    resources: HashMap<String, Vec<String>>,
    /// By the text before the first variable; the longest that fits counts.
    templates: Vec<(String, Vec<String>)>,
}

impl Requirements {
    pub(super) fn add_tool(&mut self, tool: &Tool) {
        if let Some(scopes) = declared_scopes(tool) {
            self.tools.insert(tool.name.to_string(), scopes);
        }
    }

    pub(super) fn add_prompt(&mut self, prompt: &Prompt) {
        if let Some(scopes) = declared_scopes(prompt) {
            self.prompts.insert(prompt.name.clone(), scopes);
        }
    }

    pub(super) fn add_resource(&mut self, resource: &Resource) {
        if let Some(scopes) = declared_scopes(resource) {
            self.resources.insert(resource.uri.clone(), scopes);
        }
    }

    pub(super) fn add_template(&mut self, template: &ResourceTemplate) {
        if let Some(scopes) = declared_scopes(template) {
            let literal = template.uri_template.split('{').next().unwrap_or_default();
            self.templates.push((literal.to_owned(), scopes));
            self.templates.sort_by_key(|(literal, _)| std::cmp::Reverse(literal.len()));
        }
    }

    /// Every scope that `operation` needs, where `caller` lacks one of them; all at once, so that
    /// one new consent is enough.
    pub(super) fn lacking(&self, operation: &Operation, caller: &Caller) -> Option<Vec<String>> {
        let needed = self.of(operation);
        let has_all = needed.iter().all(|scope| caller.has(scope));
        (!has_all).then_some(needed)
    }

    fn of(&self, operation: &Operation) -> Vec<String> {
        let basic = &self.basic;
        match operation {
            Operation::Open => Vec::new(),
            Operation::Tool(name) => self.tools.get(name).unwrap_or(basic).clone(),
            Operation::Prompt(name) => self.prompts.get(name).unwrap_or(basic).clone(),
            Operation::Resources(uris) | Operation::Listen(uris) => {
                let mut needed: Vec<String> = Vec::new();
                for scope in uris.iter().flat_map(|uri| self.of_resource(uri)) {
                    if !needed.contains(scope) {
                        needed.push(scope.clone());
                    }
                }
                needed
            }
            Operation::Other => basic.clone(),
        }
    }

    fn of_resource(&self, uri: &str) -> &Vec<String> {
        let template = || self.templates.iter().find(|(literal, _)| uri.starts_with(literal));
        let known = self.resources.get(uri).or_else(|| template().map(|(_, scopes)| scopes));
        known.unwrap_or(&self.basic)
    }
}

/// Scopes that hold others: whoever may write may read.
#[derive(Clone, Debug, Default)]
pub(super) struct Hierarchy(HashMap<String, Vec<String>>);

impl Hierarchy {
    pub(super) fn add(&mut self, scope: &str, implied: Vec<String>) {
        self.0.entry(scope.to_owned()).or_default().extend(implied);
    }

    /// The granted scopes and all that they hold.
    pub(super) fn expand(&self, mut scopes: Vec<String>) -> Vec<String> {
        let mut next = 0;
        while let Some(scope) = scopes.get(next).cloned() {
            for implied in self.0.get(&scope).into_iter().flatten() {
                if !scopes.contains(implied) {
                    scopes.push(implied.clone());
                }
            }
            next += 1;
        }
        scopes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(scopes: &[&str]) -> Vec<String> {
        scopes.iter().map(|scope| (*scope).to_owned()).collect()
    }

    fn requirements() -> Requirements {
        let mut all = Requirements { basic: texts(&["basic"]), ..Requirements::default() };
        let schema = std::sync::Arc::new(JsonObject::new());
        all.add_tool(&Tool::new("open", "", schema.clone()).with_meta(needs([])));
        all.add_tool(&Tool::new("write", "", schema.clone()).with_meta(needs(["read", "write"])));
        all.add_tool(&Tool::new("undeclared", "", schema));
        all.add_resource(&Resource::new("me://profile", "p").with_meta(needs(["profile"])));
        all.add_template(&ResourceTemplate::new("me://{what}", "w").with_meta(needs(["email"])));
        all.add_template(&ResourceTemplate::new("me://a/{b}", "w").with_meta(needs(["a"])));
        all
    }

    #[test]
    fn what_is_declared_counts_and_all_else_needs_the_basic_scopes() {
        let of = |operation: Operation| requirements().of(&operation);
        assert!(of(Operation::Tool("open".into())).is_empty());
        assert_eq!(of(Operation::Tool("write".into())), ["read", "write"]);
        assert_eq!(of(Operation::Tool("undeclared".into())), ["basic"]);
        assert_eq!(of(Operation::Tool("unknown".into())), ["basic"]);
        assert_eq!(of(Operation::Prompt("unknown".into())), ["basic"]);
        assert_eq!(of(Operation::Other), ["basic"]);
        assert!(of(Operation::Open).is_empty());
    }

    #[test]
    fn a_resource_is_found_by_its_uri_then_by_the_longest_template() {
        let of = |uris: &[&str]| requirements().of(&Operation::Resources(texts(uris)));
        assert_eq!(of(&["me://profile"]), ["profile"]);
        assert_eq!(of(&["me://a/1"]), ["a"]);
        assert_eq!(of(&["me://b"]), ["email"]);
        assert_eq!(of(&["other:x"]), ["basic"]);
        assert_eq!(of(&["me://profile", "me://b", "me://c"]), ["profile", "email"]);
        assert!(of(&[]).is_empty());
    }

    #[test]
    fn a_scope_brings_those_that_it_holds_even_in_a_circle() {
        let mut hierarchy = Hierarchy::default();
        hierarchy.add("admin", texts(&["write"]));
        hierarchy.add("write", texts(&["read", "admin"]));
        assert_eq!(hierarchy.expand(texts(&["admin"])), ["admin", "write", "read"]);
        assert_eq!(hierarchy.expand(texts(&["read"])), ["read"]);
        assert_eq!(hierarchy.expand(texts(&["ADMIN"])), ["ADMIN"]);
    }
}
