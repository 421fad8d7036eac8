//! The rules, and what they say of one name. Pure decisions.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use url::Url;

use super::pattern::{Pattern, fold_case};

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Tool,
    Prompt,
    Resource,
}

/// What happens when the definition of a tool has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Pin {
    Report,
    Refuse,
}

/// A rule: who may use what its patterns fit, and how much of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rule {
    /// The place of the rule among all, to count its calls by.
    pub(super) number: usize,
    pub(super) patterns: Vec<Pattern>,
    pub(super) forbids: bool,
    /// The caller needs all of these.
    pub(super) scopes: Vec<String>,
    /// The caller must be in one of these, if there are any.
    pub(super) groups: Vec<String>,
    /// Whether callers without the scopes do not see it.
    pub(super) hidden: bool,
    /// Whether only tools that say they change nothing may be called.
    pub(super) read_only: bool,
    /// Bytes.
    pub(super) max_arguments: Option<usize>,
    pub(super) calls_per_minute: Option<u32>,
}

/// Everything that `[gate]` says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    /// Whether what no rule fits is forbidden.
    pub(super) denies_by_default: bool,
    pub(super) tools: Vec<Rule>,
    pub(super) prompts: Vec<Rule>,
    pub(super) resources: Vec<Rule>,
    /// Whether every tool must say that it changes nothing.
    pub(super) read_only: bool,
    pub(super) pin: Option<(Pin, PathBuf)>,
    pub(super) calls_per_minute: Option<u32>,
    pub(super) concurrent_calls: Option<u32>,
}

/// What the caller's token brings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rights<'a> {
    pub(super) scopes: &'a [String],
    pub(super) groups: &'a [String],
}

/// What the rules say of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict<R> {
    /// By this rule, or by default.
    Allowed(Option<R>),
    /// Another token would help: the scopes that the rule needs.
    NeedsScopes(Vec<String>),
    /// For this caller it does not exist.
    Unknown,
}

impl Rules {
    /// Whether there is anything to apply.
    pub(crate) fn is_empty(&self) -> bool {
        !self.denies_by_default
            && !self.read_only
            && self.pin.is_none()
            && self.calls_per_minute.is_none()
            && self.concurrent_calls.is_none()
            && [&self.tools, &self.prompts, &self.resources].iter().all(|rules| rules.is_empty())
    }

    /// Judges a name. Of a resource, each way in which a server may read its URI counts, and the
    /// strictest verdict holds.
    pub(super) fn judge(&self, kind: Kind, name: &str, rights: Rights<'_>) -> Verdict<&Rule> {
        let mut strictest = self.judge_spelling(kind, name, rights);
        let others = if kind == Kind::Resource { other_spellings(name) } else { Vec::new() };
        for spelling in others {
            let verdict = self.judge_spelling(kind, &spelling, rights);
            if verdict.strictness() > strictest.strictness() {
                strictest = verdict;
            }
        }
        strictest
    }

    fn judge_spelling(&self, kind: Kind, name: &str, rights: Rights<'_>) -> Verdict<&Rule> {
        let rules = match kind {
            Kind::Tool => &self.tools,
            Kind::Prompt => &self.prompts,
            Kind::Resource => &self.resources,
        };
        let folded = fold_case(name);
        let mut fitting =
            rules.iter().filter(|rule| rule.patterns.iter().any(|pattern| pattern.fits(&folded)));
        match fitting.next() {
            Some(rule) => rule.judge(rights),
            None if self.denies_by_default => Verdict::Unknown,
            None => Verdict::Allowed(None),
        }
    }
}

impl Rule {
    fn judge(&self, rights: Rights<'_>) -> Verdict<&Self> {
        let is_member = || self.groups.iter().any(|group| rights.groups.contains(group));
        if self.forbids || !self.groups.is_empty() && !is_member() {
            Verdict::Unknown
        } else if self.scopes.iter().all(|scope| rights.scopes.contains(scope)) {
            Verdict::Allowed(Some(self))
        } else if self.hidden {
            Verdict::Unknown
        } else {
            Verdict::NeedsScopes(self.scopes.clone())
        }
    }
}

impl<R> Verdict<R> {
    fn strictness(&self) -> u8 {
        match self {
            Self::Allowed(_) => 0,
            Self::NeedsScopes(_) => 1,
            Self::Unknown => 2,
        }
    }
}

/// The URI as a parser normalizes it and as a server may decode it, because `a://b/c/../d` and
/// `a://b/%64` may be served as `a://b/d`.
fn other_spellings(uri: &str) -> Vec<String> {
    let decoded = percent_decode_str(uri).decode_utf8_lossy().into_owned();
    let spellings = [Url::parse(uri).ok(), Url::parse(&decoded).ok()];
    let normalized = spellings.into_iter().flatten().map(String::from);
    let all = normalized.chain([decoded]);
    all.filter(|spelling| spelling != uri).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(pattern: &str) -> Rule {
        Rule { patterns: vec![Pattern::new(pattern)], ..Rule::default() }
    }

    fn texts(all: &[&str]) -> Vec<String> {
        all.iter().map(|text| (*text).to_owned()).collect()
    }

    fn said(rules: &Rules, kind: Kind, name: &str, scopes: &[&str], groups: &[&str]) -> String {
        let (scopes, groups) = (texts(scopes), texts(groups));
        match rules.judge(kind, name, Rights { scopes: &scopes, groups: &groups }) {
            Verdict::Allowed(_) => "allowed".into(),
            Verdict::NeedsScopes(scopes) => scopes.join(" "),
            Verdict::Unknown => "unknown".into(),
        }
    }

    #[test]
    fn the_first_rule_that_fits_decides_and_the_default_where_none_does() {
        let forbidden = Rule { forbids: true, ..rule("delete_*") };
        let mut rules = Rules { tools: vec![rule("delete_mine"), forbidden], ..Rules::default() };
        let of = |rules: &Rules, name: &str| said(rules, Kind::Tool, name, &[], &[]);
        assert_eq!(of(&rules, "delete_mine"), "allowed");
        assert_eq!(of(&rules, "delete_all"), "unknown");
        assert_eq!(of(&rules, "DELETE_ALL "), "unknown");
        assert_eq!(of(&rules, "echo"), "allowed");
        rules.denies_by_default = true;
        assert_eq!(of(&rules, "delete_mine"), "allowed");
        assert_eq!(of(&rules, "echo"), "unknown");
        assert_eq!(said(&rules, Kind::Prompt, "delete_mine", &[], &[]), "unknown");
    }

    #[test]
    fn a_missing_scope_can_be_asked_for_unless_the_rule_hides_and_a_missing_group_cannot() {
        let scopes = texts(&["read", "write"]);
        let open = Rule { scopes: scopes.clone(), ..rule("open") };
        let hidden = Rule { scopes, hidden: true, ..rule("hidden") };
        let groups = Rule { groups: texts(&["staff", "admins"]), ..rule("groups") };
        let rules = Rules { tools: vec![open, hidden, groups], ..Rules::default() };
        let of =
            |name, scopes: &[&str], groups: &[&str]| said(&rules, Kind::Tool, name, scopes, groups);
        assert_eq!(of("open", &["read"], &[]), "read write");
        assert_eq!(of("open", &["write", "read"], &[]), "allowed");
        assert_eq!(of("hidden", &["read"], &[]), "unknown");
        assert_eq!(of("hidden", &["write", "read"], &[]), "allowed");
        assert_eq!(of("groups", &[], &["admins"]), "allowed");
        assert_eq!(of("groups", &["staff"], &["Staff"]), "unknown");
    }

    #[test]
    fn a_resource_is_judged_by_each_way_to_read_its_uri() {
        let secret = Rule { forbids: true, ..rule("file:///secret/*") };
        let rules = Rules { resources: vec![secret, rule("file:///public/*")], ..Rules::default() };
        let closed = Rules { denies_by_default: true, ..rules.clone() };
        for uri in [
            "file:///secret/a",
            "FILE:///Secret/a",
            "file:///public/../secret/a",
            "file:///public/%2e%2e/secret/a",
            "file:///%73ecret/a",
            "file:///public/..%2fsecret/a",
        ] {
            assert_eq!(said(&rules, Kind::Resource, uri, &[], &[]), "unknown", "{uri}");
        }
        assert_eq!(said(&closed, Kind::Resource, "file:///public/a", &[], &[]), "allowed");
        assert_eq!(said(&closed, Kind::Resource, "file:///public/../b", &[], &[]), "unknown");
        assert_eq!(said(&rules, Kind::Resource, "other:a", &[], &[]), "allowed");
    }
}
