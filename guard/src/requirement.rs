//! The scopes and groups that an operation needs, as declared by its definition.

use std::{cmp::Reverse, collections::HashMap};

use rmcp::model::{Prompt, Resource, ResourceTemplate, Tool};
use url::Url;

use crate::{
    caller::Caller,
    declaration::{declared_needs, group_of},
    message::fold_case,
    operation::Operation,
    refusal::Refusal,
};

/// The scopes that each operation needs. Undeclared operations need the basic scopes, so that a
/// forgotten declaration opens nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requirements {
    pub(crate) basic: Vec<String>,
    tools: HashMap<String, Vec<String>>,
    prompts: HashMap<String, Vec<String>>,
    resources: HashMap<String, Vec<String>>,
    /// By the literal prefix before the first variable, longest first.
    templates: Vec<(String, Vec<String>)>,
}

impl Requirements {
    pub(crate) fn add_tool(&mut self, tool: &Tool) {
        if let Some(scopes) = declared_needs(tool) {
            self.tools.insert(tool.name.to_string(), scopes);
        }
    }

    pub(crate) fn add_prompt(&mut self, prompt: &Prompt) {
        if let Some(scopes) = declared_needs(prompt) {
            self.prompts.insert(prompt.name.clone(), scopes);
        }
    }

    pub(crate) fn add_resource(&mut self, resource: &Resource) {
        if let Some(scopes) = declared_needs(resource) {
            self.resources.insert(resource.uri.clone(), scopes);
        }
    }

    pub(crate) fn add_template(&mut self, template: &ResourceTemplate) {
        if let Some(scopes) = declared_needs(template) {
            let prefix = template.uri_template.split('{').next().unwrap_or_default();
            self.templates.push((prefix.to_owned(), scopes));
            self.templates.sort_by_key(|(prefix, _)| Reverse(prefix.len()));
        }
    }

    /// Refuses an operation if the caller lacks a scope. The refusal names all needed scopes, so
    /// that one new consent is enough.
    pub(crate) fn check(&self, operation: &Operation<'_>, caller: &Caller) -> Result<(), Refusal> {
        check(self.needed(operation), caller)
    }

    fn needed(&self, operation: &Operation<'_>) -> Vec<&String> {
        let scopes = match operation {
            Operation::Open => Vec::new(),
            Operation::Tool(name) => self.scopes_of_name(name, &self.tools),
            Operation::Prompt(name) => self.scopes_of_name(name, &self.prompts),
            Operation::Resources(uris) | Operation::Listen(uris) => {
                uris.iter().flat_map(|uri| self.scopes_of_resource(uri)).collect()
            }
            Operation::Other => self.basic.iter().collect(),
        };
        let mut needed: Vec<&String> = Vec::with_capacity(scopes.len());
        for scope in scopes {
            if !needed.contains(&scope) {
                needed.push(scope);
            }
        }
        needed
    }

    /// The scopes for a tool or prompt. An undeclared name needs the basic scopes and those of every
    /// name that differs in case only, because the server may ignore case.
    fn scopes_of_name<'s>(
        &'s self,
        name: &str,
        declared: &'s HashMap<String, Vec<String>>,
    ) -> Vec<&'s String> {
        if let Some(scopes) = declared.get(name) {
            return scopes.iter().collect();
        }
        let name = fold_case(name.trim());
        let similar = declared.iter().filter(|(known, _)| fold_case(known) == name);
        self.basic.iter().chain(similar.flat_map(|(_, scopes)| scopes)).collect()
    }

    /// The scopes for a resource, by its URI as spelled and as normalized by a URL parser, because
    /// the server may serve `a://b/c/../d` as `a://b/d`.
    fn scopes_of_resource(&self, uri: &str) -> Vec<&String> {
        let parsed = Url::parse(uri).map(String::from).ok().filter(|parsed| parsed != uri);
        let parsed = parsed.and_then(|parsed| self.declared(&parsed)).unwrap_or_default();
        let spelled = self.declared(uri).unwrap_or_else(|| self.basic.iter().collect());
        [spelled, parsed].concat()
    }

    /// The scopes that the resource declares, or the templates with the longest literal prefix of
    /// its URI. Any of several such templates may be the right one, so all their scopes are needed.
    fn declared(&self, uri: &str) -> Option<Vec<&String>> {
        if let Some(scopes) = self.resources.get(uri) {
            return Some(scopes.iter().collect());
        }
        let (longest, _) = self.templates.iter().find(|(prefix, _)| uri.starts_with(prefix))?;
        let templates = self.templates.iter().filter(|(prefix, _)| prefix == longest);
        Some(templates.flat_map(|(_, scopes)| scopes).collect())
    }
}

/// Refuses a caller who lacks a group, or else a scope. No consent makes up for a missing group, so a
/// client is not asked for scopes then.
pub(crate) fn check<'s>(
    needed: impl IntoIterator<Item = &'s String>,
    caller: &Caller,
) -> Result<(), Refusal> {
    let (groups, scopes): (Vec<&String>, Vec<&String>) =
        needed.into_iter().partition(|requirement| group_of(requirement).is_some());
    let missing = groups.into_iter().filter(|group| !caller.meets(group));
    let missing: Vec<String> = missing.filter_map(|it| group_of(it)).map(str::to_owned).collect();
    if !missing.is_empty() {
        return Err(Refusal::NotInGroup(missing));
    }
    if scopes.iter().all(|scope| caller.has(scope)) {
        Ok(())
    } else {
        Err(Refusal::InsufficientScope(scopes.into_iter().cloned().collect()))
    }
}

#[cfg(test)]
mod tests {
    use rmcp::model::JsonObject;

    use super::*;
    use crate::{caller::caller, needs};

    fn texts(scopes: &[&str]) -> Vec<String> {
        scopes.iter().map(|scope| (*scope).to_owned()).collect()
    }

    fn needed(all: &Requirements, operation: &Operation<'_>) -> Vec<String> {
        all.needed(operation).into_iter().cloned().collect()
    }

    fn resources<'a>(uris: &[&'a str]) -> Operation<'a> {
        Operation::Resources(uris.iter().map(|uri| (*uri).into()).collect())
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
        let of = |operation: Operation<'_>| needed(&requirements(), &operation);
        assert!(of(Operation::Tool("open".into())).is_empty());
        assert_eq!(of(Operation::Tool("write".into())), ["read", "write"]);
        assert_eq!(of(Operation::Tool("undeclared".into())), ["basic"]);
        assert_eq!(of(Operation::Tool("unknown".into())), ["basic"]);
        assert_eq!(of(Operation::Prompt("unknown".into())), ["basic"]);
        assert_eq!(of(Operation::Tool(" Write".into())), ["basic", "read", "write"]);
        assert_eq!(of(Operation::Other), ["basic"]);
        assert!(of(Operation::Open).is_empty());
    }

    #[test]
    fn a_resource_is_found_by_its_uri_then_by_the_longest_template() {
        let of = |uris: &[&str]| needed(&requirements(), &resources(uris));
        assert_eq!(of(&["me://profile"]), ["profile"]);
        assert_eq!(of(&["me://a/1"]), ["a"]);
        assert_eq!(of(&["me://b"]), ["email"]);
        assert_eq!(of(&["other:x"]), ["basic"]);
        assert_eq!(of(&["me://profile", "me://b", "me://c"]), ["profile", "email"]);
        assert!(of(&[]).is_empty());
    }

    #[test]
    fn a_resource_is_judged_by_each_way_to_read_its_uri() {
        let of = |uri: &str| {
            let mut all = requirements();
            all.add_resource(&Resource::new("me://a/secret", "s").with_meta(needs(["secret"])));
            needed(&all, &resources(&[uri]))
        };
        assert_eq!(of("me://a/b/../secret"), ["a", "secret"]);
        assert_eq!(of("me://a/b/%2e%2E/secret"), ["a", "secret"]);
        assert_eq!(of("ME://profile"), ["basic", "profile"]);
        assert_eq!(of("other://x/%2e%2e/y"), ["basic"]);
        let mut open = Requirements { basic: texts(&["basic"]), ..Requirements::default() };
        open.add_resource(&Resource::new("https://open.test", "o").with_meta(needs([])));
        assert!(needed(&open, &resources(&["https://open.test"])).is_empty());
    }

    #[test]
    fn where_several_templates_fit_alike_the_scopes_of_all_are_needed() {
        let mut all = Requirements::default();
        all.add_template(&ResourceTemplate::new("x://{a}", "w").with_meta(needs(["read"])));
        all.add_template(&ResourceTemplate::new("x://{a}/secret", "w").with_meta(needs(["all"])));
        assert_eq!(needed(&all, &resources(&["x://1/secret"])), ["read", "all"]);
    }

    #[test]
    fn a_missing_group_is_refused_before_a_missing_scope_and_names_no_scope() {
        let mut all = requirements();
        let schema = std::sync::Arc::new(JsonObject::new());
        let meta = needs(["write", "group:platform", "group:staff"]);
        all.add_tool(&Tool::new("deploy", "", schema).with_meta(meta));
        let check = |scopes: &[&str], groups: &[&str]| {
            let caller = caller("nick", "c", scopes).in_groups(groups);
            all.check(&Operation::Tool("deploy".into()), &caller)
        };
        assert_eq!(check(&["write"], &["staff", "platform"]), Ok(()));
        assert_eq!(check(&[], &["staff"]), Err(Refusal::NotInGroup(texts(&["platform"]))));
        let refused = check(&[], &["staff", "platform"]);
        assert_eq!(refused, Err(Refusal::InsufficientScope(texts(&["write"]))));
        // A scope does not stand in for the group of its name.
        let scopes = ["write", "group:platform", "group:staff", "platform"];
        let missing = texts(&["platform", "staff"]);
        assert_eq!(check(&scopes, &[]), Err(Refusal::NotInGroup(missing)));
    }
}
