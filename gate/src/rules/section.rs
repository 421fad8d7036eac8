//! `[gate]` as it is written, and its checks.

use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::{
    decision::{Pin, Rule, Rules},
    pattern::Pattern,
};

/// `[gate]` as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RulesSection {
    /// What holds for tools, prompts and resources that no rule fits. It must be written if there are rules.
    default: Option<DefaultRule>,
    /// Whether only tools that are annotated as read-only may be called.
    read_only: bool,
    /// Whether changed definitions of tools are reported, or refused until an operator accepts them.
    pin: Option<Spanned<Pin>>,
    /// The file with the accepted definitions.
    pins: Option<Spanned<PathBuf>>,
    /// Calls that one user may make in a minute.
    calls_per_minute: Option<Spanned<u32>>,
    /// Calls that one user may have in progress.
    concurrent_calls: Option<Spanned<u32>>,
    tools: Vec<Spanned<RuleSection>>,
    prompts: Vec<Spanned<RuleSection>>,
    resources: Vec<Spanned<RuleSection>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DefaultRule {
    Allow,
    Deny,
}

/// One of `[[gate.tools]]`, `[[gate.prompts]]` and `[[gate.resources]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleSection {
    #[serde(rename = "match")]
    patterns: Spanned<Patterns>,
    #[serde(default = "yes")]
    allow: bool,
    #[serde(default)]
    scopes: Vec<Spanned<String>>,
    groups: Option<Spanned<Vec<String>>>,
    #[serde(default)]
    hidden: bool,
    #[serde(default)]
    read_only: bool,
    max_arguments: Option<Spanned<usize>>,
    calls_per_minute: Option<Spanned<u32>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "write a pattern, as in \"delete_*\", or a list of patterns")]
enum Patterns {
    One(String),
    Several(Vec<String>),
}

fn yes() -> bool {
    true
}

/// A place in the text, and what to write there instead.
type Wrong = (usize, String);

fn at<T>(place: &Spanned<T>, why: impl Into<String>) -> Wrong {
    (place.span().start, why.into())
}

/// Refuses what contradicts itself or can never hold.
pub(crate) fn check(section: Spanned<RulesSection>) -> Result<Rules, Wrong> {
    let start = section.span().start;
    let section = section.into_inner();
    let mut number = 0;
    let mut checked = |rules: Vec<Spanned<RuleSection>>, are_tools: bool| {
        let rules = rules.into_iter().map(|rule| {
            number += 1;
            check_rule(rule, number, are_tools)
        });
        rules.collect::<Result<Vec<_>, _>>()
    };
    let tools = checked(section.tools, true)?;
    let prompts = checked(section.prompts, false)?;
    let resources = checked(section.resources, false)?;
    if number > 0 && section.default.is_none() {
        let why = "write default = \"allow\" or default = \"deny\" for what no rule fits";
        return Err((start, why.into()));
    }
    let pin = match (section.pin, section.pins) {
        (Some(pin), Some(file)) => Some((pin.into_inner(), file.into_inner())),
        (Some(pin), None) => {
            return Err(at(&pin, "name the file of accepted tools as pins = \"…\""));
        }
        (None, Some(file)) => {
            return Err(at(&file, "write pin = \"report\" or pin = \"refuse\" as well"));
        }
        (None, None) => None,
    };
    Ok(Rules {
        denies_by_default: section.default == Some(DefaultRule::Deny),
        tools,
        prompts,
        resources,
        read_only: section.read_only,
        pin,
        calls_per_minute: section.calls_per_minute.map(positive).transpose()?,
        concurrent_calls: section.concurrent_calls.map(positive).transpose()?,
    })
}

fn check_rule(
    rule: Spanned<RuleSection>,
    number: usize,
    is_for_tools: bool,
) -> Result<Rule, Wrong> {
    let place = rule.span().start;
    let rule = rule.into_inner();
    let patterns = match rule.patterns.get_ref() {
        Patterns::One(pattern) => std::slice::from_ref(pattern),
        Patterns::Several(patterns) => patterns,
    };
    if patterns.is_empty() || patterns.iter().any(|pattern| pattern.trim().is_empty()) {
        let why = "name what the rule is for, as in match = \"delete_*\"";
        return Err(at(&rule.patterns, why));
    }
    let patterns = patterns.iter().map(|pattern| Pattern::new(pattern)).collect();
    let is_conditional = !rule.scopes.is_empty() || rule.groups.is_some();
    if !rule.allow && is_conditional {
        let why = "allow = false is for everyone; leave out scopes and groups, or allow";
        return Err((place, why.into()));
    }
    if rule.hidden && rule.scopes.is_empty() {
        let why =
            "hidden = true hides from callers without the scopes; name scopes, or leave it out";
        return Err((place, why.into()));
    }
    if !is_for_tools && (rule.read_only || rule.max_arguments.is_some()) {
        return Err((place, "read_only and max_arguments are for tools only".into()));
    }
    if let Some(scope) = rule.scopes.iter().find(|scope| !is_scope(scope.get_ref())) {
        let why = format!("the scope {:?} must be visible ASCII without quotes", scope.get_ref());
        return Err(at(scope, why));
    }
    if let Some(groups) = rule.groups.as_ref().filter(|groups| groups.get_ref().is_empty()) {
        return Err(at(groups, "name groups, or write allow = false"));
    }
    Ok(Rule {
        number,
        patterns,
        forbids: !rule.allow,
        scopes: rule.scopes.into_iter().map(Spanned::into_inner).collect(),
        groups: rule.groups.map(Spanned::into_inner).unwrap_or_default(),
        hidden: rule.hidden,
        read_only: rule.read_only,
        max_arguments: rule.max_arguments.map(Spanned::into_inner),
        calls_per_minute: rule.calls_per_minute.map(positive).transpose()?,
    })
}

fn positive(number: Spanned<u32>) -> Result<u32, Wrong> {
    match *number.get_ref() {
        0 => Err(at(&number, "write a number above 0; allow = false forbids calls")),
        number => Ok(number),
    }
}

/// The characters of a scope (RFC 6749 §3.3).
fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
}
