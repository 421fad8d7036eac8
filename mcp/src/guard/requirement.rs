//! Which scopes an operation needs, as its definition declares them.

use std::collections::HashMap;

use rmcp::model::{Prompt, Resource, ResourceTemplate, Tool};

use super::{caller::Caller, declaration::declared_scopes, operation::Operation};

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

#[cfg(test)]
mod tests {
    use rmcp::model::JsonObject;

    use super::*;
    use crate::guard::needs;

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
}
