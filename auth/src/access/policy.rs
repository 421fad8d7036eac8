//! The access policy: groups of people, who of them may come in, and what they may have.

use std::{collections::BTreeSet, fmt, sync::Arc};

use super::{
    facts::{FactsByUpstream, Questions},
    groups::{Group, Groups, GroupsClaim},
    limit::Limit,
    provisioning::{MatchedBy, Provisioning, SCIM},
    rule::Rule,
};
use crate::oauth::{Resource, ScopeSet, claim_name};

/// What an operator wrote under `[access]`, checked.
#[derive(Clone, Debug)]
pub(crate) struct AccessPolicy {
    /// Whether a person needs no group to come in.
    pub(crate) anyone: bool,
    /// Whom people ask who are kept out.
    pub(crate) contact: Option<String>,
    pub(crate) groups: Vec<Group>,
    /// Names of the groups that may come in.
    pub(crate) allow: BTreeSet<String>,
    /// Names of the groups that are kept out, whatever else their people are in.
    pub(crate) deny: BTreeSet<String>,
    pub(crate) limits: Vec<Limit>,
    pub(crate) recheck: Recheck,
    /// The claim that tells the groups of a person, unless a resource has one of its own.
    pub(crate) groups_claim: Option<String>,
    /// How users of a provisioning system are matched with people, if there is one.
    pub(crate) provisioning: Option<Provisioning>,
}

/// How upstreams are asked again about people who have signed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Recheck {
    /// Seconds from one answer to the next question; 0 for never.
    pub(crate) interval: i64,
    /// Whether what an upstream said counts for two intervals only, if it does not answer.
    pub(crate) fails_closed: bool,
}

/// Why a person may not come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeptOut {
    /// They are in a group that `deny` names.
    Denied(Arc<str>),
    /// They are in no group that `allow` names.
    NotAllowed,
    /// An operator has disabled the account.
    Disabled,
    /// The provisioning system has deactivated or deleted the person's user.
    Deactivated,
}

/// What the policy says of a person: the groups that they are in, or why they are kept out.
pub(crate) type Verdict = Result<Groups, KeptOut>;

impl AccessPolicy {
    /// Admits everyone, as on a developer's machine.
    pub(crate) fn everyone() -> Self {
        Self {
            anyone: true,
            contact: None,
            groups: Vec::new(),
            allow: BTreeSet::new(),
            deny: BTreeSet::new(),
            limits: Vec::new(),
            recheck: Recheck::default(),
            groups_claim: None,
            provisioning: None,
        }
    }

    /// Judges a person by what upstreams say of them. A user who is deactivated goes before `deny`, and
    /// `deny` before `allow`.
    pub(crate) fn judge(&self, facts: &FactsByUpstream) -> Verdict {
        if facts.get(SCIM).is_some_and(|facts| facts.is_deactivated) {
            return Err(KeptOut::Deactivated);
        }
        let met = self.groups.iter().filter(|group| group.rule_met_by(facts).is_some());
        let groups: Groups = met.map(|group| group.name.clone()).collect();
        if let Some(denied) = groups.iter().find(|group| self.deny.contains(*group)) {
            return Err(KeptOut::Denied(denied.into()));
        }
        if self.anyone || groups.iter().any(|group| self.allow.contains(group)) {
            Ok(groups)
        } else {
            Err(KeptOut::NotAllowed)
        }
    }

    /// Of `wanted`, the scopes that a person of `groups` may have. A scope is withheld along with any
    /// that it implies. Of a resource that is limited as a whole, nothing is left.
    pub(crate) fn permitted_scopes(
        &self,
        resource: &Resource,
        groups: &Groups,
        wanted: &ScopeSet,
    ) -> ScopeSet {
        if !self.permits(resource, groups) {
            return ScopeSet::default();
        }
        let is_permitted = |scope: &&str| {
            let along = resource.with_implied(&std::iter::once(*scope).collect());
            !along.iter().any(|scope| {
                self.limits
                    .iter()
                    .any(|limit| limit.withholds_scope(&resource.resource, scope, groups))
            })
        };
        wanted.iter().filter(is_permitted).collect()
    }

    /// Whether a person of `groups` may have tokens for the resource at all.
    pub(crate) fn permits(&self, resource: &Resource, groups: &Groups) -> bool {
        !self.limits.iter().any(|limit| limit.withholds(&resource.resource, groups))
    }

    /// What the resource, and clients with a token for it, are told of the groups of a person.
    pub(crate) fn groups_claim(&self, resource: &Resource, groups: &Groups) -> GroupsClaim {
        let name = resource.groups_claim.as_ref().or(self.groups_claim.as_ref());
        GroupsClaim::new(name.map(String::as_str).filter(|name| *name != claim_name::OFF), groups)
    }

    /// What upstreams must be asked so that every rule can be judged.
    pub(crate) fn questions(&self) -> Questions {
        let mut questions = Questions::default();
        for rule in self.groups.iter().flat_map(|group| &group.rules) {
            match rule {
                Rule::GithubOrganisation(name) => {
                    questions.organisations.insert(name.clone());
                }
                Rule::GithubTeam(name) => {
                    questions.teams.insert(name.clone());
                }
                Rule::Claim { upstream, claim, any_of } => {
                    let claims = questions.claims.entry(upstream.clone()).or_default();
                    claims.insert(claim.clone());
                    questions.values.extend(any_of.iter().cloned());
                }
                Rule::GithubUser(_)
                | Rule::Email(_)
                | Rule::EmailDomain(_)
                | Rule::ScimGroup(_)
                | Rule::Provisioned => {}
            }
        }
        if let Some(Provisioning { upstream, matched_by: MatchedBy::Claim(claim) }) =
            &self.provisioning
        {
            questions.claims.entry(upstream.clone()).or_default().insert(claim.clone());
        }
        questions
    }
}

impl fmt::Display for KeptOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(group) => write!(f, "the group {group:?} is in deny"),
            Self::NotAllowed => f.write_str("the person is in no group of allow"),
            Self::Disabled => f.write_str("an operator has disabled the account"),
            Self::Deactivated => f.write_str("the provisioning system has deactivated the user"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::resource::ResourceScope;
    use serde_json::json;

    const FILES: &str = "https://mcp.example.com/files";

    fn group(name: &str, rule: Rule) -> Group {
        Group { name: name.into(), rules: vec![rule] }
    }

    fn names(all: &[&str]) -> BTreeSet<String> {
        all.iter().map(|name| (*name).to_owned()).collect()
    }

    /// Three groups: a company, a team of it, and one person.
    fn policy(allow: &[&str], deny: &[&str]) -> AccessPolicy {
        AccessPolicy {
            anyone: false,
            groups: vec![
                group("staff", Rule::GithubOrganisation("acme".into())),
                group("platform", Rule::GithubTeam("acme/platform".into())),
                group("suspended", Rule::GithubUser("mallory".into())),
            ],
            allow: names(allow),
            deny: names(deny),
            ..AccessPolicy::everyone()
        }
    }

    fn person(login: &str, organisations: &[&str], teams: &[&str]) -> FactsByUpstream {
        let github = json!({"login": login, "organisations": organisations, "teams": teams});
        serde_json::from_value(json!({"github": github})).unwrap()
    }

    #[test]
    fn deny_goes_before_allow_and_nothing_else_admits() {
        let policy = policy(&["staff"], &["suspended"]);
        let alice = policy.judge(&person("alice", &["acme"], &[])).unwrap();
        assert_eq!(alice.iter().collect::<Vec<_>>(), ["staff"]);
        let mallory = policy.judge(&person("mallory", &["acme"], &["acme/platform"]));
        assert_eq!(mallory, Err(KeptOut::Denied("suspended".into())));
        for stranger in [person("bob", &[], &["acme/platform"]), FactsByUpstream::new()] {
            assert_eq!(policy.judge(&stranger), Err(KeptOut::NotAllowed));
        }
    }

    #[test]
    fn anyone_means_all_but_the_denied() {
        let policy = AccessPolicy { anyone: true, ..policy(&[], &["suspended"]) };
        assert!(policy.judge(&person("bob", &[], &[])).is_ok());
        assert!(policy.judge(&FactsByUpstream::new()).is_ok());
        assert!(policy.judge(&person("mallory", &[], &[])).is_err());
    }

    fn files() -> Resource {
        let scope = |name: &str, implies: &[&str]| ResourceScope {
            name: name.into(),
            implies: implies.iter().map(|name| (*name).to_owned()).collect(),
            ..ResourceScope::default()
        };
        let scopes = vec![scope("write", &["read"]), scope("read", &[]), scope("list", &[])];
        Resource { resource: FILES.into(), scopes, ..Resource::default() }
    }

    /// What `wanted` comes to for a person of `groups`, under limits on `scopes` for some groups.
    fn permitted(limits: &[(Option<&[&str]>, &[&str])], groups: &[&str], wanted: &str) -> String {
        let text = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        let limits = limits.iter().map(|(scopes, groups)| Limit {
            resource: FILES.into(),
            scopes: scopes.map(text),
            groups: text(groups),
        });
        let policy = AccessPolicy { limits: limits.collect(), ..AccessPolicy::everyone() };
        let groups = groups.iter().map(|name| Arc::from(*name)).collect();
        let wanted = ScopeSet::parse(wanted).unwrap();
        policy.permitted_scopes(&files(), &groups, &wanted).to_string()
    }

    #[test]
    fn a_limited_scope_is_for_its_groups_alone() {
        let limits: &[(Option<&[&str]>, &[&str])] = &[(Some(&["write"]), &["platform", "ops"])];
        assert_eq!(permitted(limits, &["ops"], "write read"), "write read");
        assert_eq!(permitted(limits, &["staff"], "write read email"), "read email");
        assert_eq!(permitted(limits, &[], "write"), "");
    }

    #[test]
    fn a_scope_that_implies_a_limited_one_is_limited_too() {
        let limits: &[(Option<&[&str]>, &[&str])] = &[(Some(&["read"]), &["staff"])];
        assert_eq!(permitted(limits, &[], "write read list"), "list");
        assert_eq!(permitted(limits, &["staff"], "write read list"), "write read list");
    }

    #[test]
    fn of_several_limits_each_must_be_met() {
        let limits: &[(Option<&[&str]>, &[&str])] =
            &[(None, &["staff"]), (Some(&["write"]), &["platform"])];
        assert_eq!(permitted(limits, &["staff", "platform"], "write list"), "write list");
        assert_eq!(permitted(limits, &["staff"], "write list email"), "list email");
        assert_eq!(permitted(limits, &["platform"], "write list email"), "");
    }

    #[test]
    fn upstreams_are_asked_what_rules_need_and_no_more() {
        let mut policy = policy(&["staff"], &[]);
        policy.groups.push(group("mail", Rule::EmailDomain("acme.example".into())));
        let any_of = names(&["eng"]);
        let claim = Rule::Claim { upstream: "corp".into(), claim: "groups".into(), any_of };
        policy.groups.push(group("eng", claim));
        let expected = Questions {
            organisations: names(&["acme"]),
            teams: names(&["acme/platform"]),
            claims: [("corp".into(), names(&["groups"]))].into(),
            values: names(&["eng"]),
        };
        assert_eq!(policy.questions(), expected);
    }
}
