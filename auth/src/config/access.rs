//! `[access]` of the configuration file: who may sign in, and which groups may have what.

mod limit;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use self::values::{domain, email, login, organisation, scim_group, team};
use super::suggestion::suggestion;
use crate::{
    access::{AccessPolicy, GITHUB, Group, Recheck, Rule},
    oauth::{Resource, claim_name},
};

/// Longest name of a group, in bytes: it may become a claim of every token.
const MAX_GROUP_NAME: usize = 64;
/// Seconds between two questions about a person, unless `recheck` says otherwise.
const DEFAULT_RECHECK_INTERVAL: i64 = 3600;
/// What `recheck` may say: an upstream must not be asked all the time, nor may a leaver stay for months.
const RECHECK_INTERVALS: std::ops::RangeInclusive<i64> = 60..=30 * 86_400;
/// Most bytes of the names of all groups together, where a claim tells them: more than that does not fit
/// into the headers that servers and proxies accept.
const MAX_GROUP_NAMES: usize = 4_096;
/// Longest text that says whom to ask, in bytes.
const MAX_CONTACT: usize = 500;

/// `[access]` as it is written.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AccessSection {
    /// Whether everyone with an account at an upstream may sign in, except the groups in `deny`.
    anyone: bool,
    /// The groups that may sign in.
    #[schemars(with = "Vec<String>")]
    allow: Vec<Spanned<String>>,
    /// The groups that may not sign in, whatever other groups their people are in.
    #[schemars(with = "Vec<String>")]
    deny: Vec<Spanned<String>>,
    /// Whom to ask for access, as the page for people who are kept out says it.
    #[schemars(with = "Option<String>")]
    contact: Option<Spanned<String>>,
    /// Seconds until an upstream is asked again about a person who has signed in, where a rule names
    /// organisations, teams or claims; an hour if left out. 0 asks only when people sign in.
    #[schemars(with = "Option<i64>")]
    recheck: Option<Spanned<i64>>,
    /// What happens when an upstream does not answer: `open` believes what it said last, `closed` only
    /// for two such intervals.
    fail: Fail,
    /// The claim that tells resource servers and clients the groups that a person is in, such as
    /// `groups`; none if left out. A resource may have a `groups_claim` of its own.
    #[schemars(with = "Option<String>")]
    groups_claim: Option<Spanned<String>>,
    /// Groups of people, by name. A person who meets any of its conditions is in a group.
    #[schemars(with = "BTreeMap<String, GroupSection>")]
    groups: BTreeMap<Spanned<String>, GroupSection>,
    /// Scopes and resources that only some groups may have.
    limits: Vec<LimitSection>,
}

/// What an upstream's outage means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Fail {
    #[default]
    Open,
    Closed,
}

/// `[access.groups.NAME]` as it is written.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct GroupSection {
    /// Login names at GitHub.
    #[schemars(with = "Vec<String>")]
    github_users: Vec<Spanned<String>>,
    /// Organisations at GitHub that have the person as an active member.
    #[schemars(with = "Vec<String>")]
    github_organisations: Vec<Spanned<String>>,
    /// Teams at GitHub, as `organisation/team`.
    #[schemars(with = "Vec<String>")]
    github_teams: Vec<Spanned<String>>,
    /// E-mail addresses that an upstream has verified.
    #[schemars(with = "Vec<String>")]
    emails: Vec<Spanned<String>>,
    /// Domains of such addresses; a subdomain is a domain of its own.
    #[schemars(with = "Vec<String>")]
    email_domains: Vec<Spanned<String>>,
    /// Values of claims of an OpenID provider or a trusted issuer.
    claims: Vec<ClaimSection>,
    /// Names of groups of the provisioning system (`[scim]`).
    #[schemars(with = "Vec<String>")]
    scim_groups: Vec<Spanned<String>>,
    /// Whether every user of the provisioning system is in the group.
    #[schemars(with = "bool")]
    provisioned: Option<Spanned<bool>>,
}

/// One of `claims` as it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ClaimSection {
    /// The name of the upstream that makes the claim.
    #[schemars(with = "String")]
    upstream: Spanned<String>,
    /// The name of the claim, such as `groups`.
    #[schemars(with = "String")]
    claim: Spanned<String>,
    /// The values that count; one of them is enough.
    #[schemars(with = "Vec<String>")]
    any_of: Spanned<Vec<String>>,
}

/// One of `[[access.limits]]` as it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LimitSection {
    /// The identifier of the resource.
    #[schemars(with = "String")]
    resource: Spanned<String>,
    /// The scopes that are limited; the whole resource if left out.
    #[schemars(with = "Option<Vec<String>>")]
    scopes: Option<Spanned<Vec<Spanned<String>>>>,
    /// The groups that may have them.
    #[schemars(with = "Vec<String>")]
    groups: Spanned<Vec<Spanned<String>>>,
}

/// What the rest of the settings says, as far as rules refer to it.
pub(super) struct Surroundings<'a> {
    pub(super) resources: &'a [Resource],
    /// Names of the upstreams and trusted issuers that make claims.
    pub(super) claim_sources: Vec<&'a str>,
    /// Whether people can sign in with GitHub.
    pub(super) has_github: bool,
    /// Whether there is a provisioning system.
    pub(super) has_scim: bool,
}

/// What is wrong: the place in the text, and what to write instead.
type Wrong = (usize, String);

/// Refuses rules that contradict each other, refer to what is not there, or can match no person: a
/// mistake in a policy must not be found out by the person whom it admits.
pub(super) fn check(
    section: Spanned<AccessSection>,
    around: &Surroundings<'_>,
) -> Result<AccessPolicy, Wrong> {
    let start = section.span().start;
    let section = section.into_inner();
    let mut groups = Vec::new();
    for (name, group) in &section.groups {
        groups.push(Group { name: check_name(name)?.into(), rules: group.rules(name, around)? });
    }
    check_membership(&section, start)?;
    section.check_claim(around.resources, start)?;
    let limits = section.limits.iter().map(|limit| limit.check(&section, around));
    let limits = limits.collect::<Result<_, _>>()?;
    let names = |list: &[Spanned<String>]| -> BTreeSet<String> {
        list.iter().map(|name| name.get_ref().clone()).collect()
    };
    Ok(AccessPolicy {
        anyone: section.anyone,
        allow: names(&section.allow),
        deny: names(&section.deny),
        contact: section.contact.map(check_contact).transpose()?,
        recheck: Recheck {
            interval: section.recheck.map_or(Ok(DEFAULT_RECHECK_INTERVAL), check_interval)?,
            fails_closed: section.fail == Fail::Closed,
        },
        groups_claim: section.groups_claim.map(Spanned::into_inner),
        groups,
        limits,
        provisioning: None,
    })
}

fn at<T>(place: &Spanned<T>, why: impl Into<String>) -> Wrong {
    (place.span().start, why.into())
}

/// Names of groups become claims, and `allow`, `deny` and limits refer to them.
fn check_name(name: &Spanned<String>) -> Result<&str, Wrong> {
    let text = name.get_ref().as_str();
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
    if (1..=MAX_GROUP_NAME).contains(&text.len()) && text.bytes().all(is_plain) {
        return Ok(text);
    }
    Err(at(
        name,
        format!(
            "write the name of the group {text:?} with 1 to {MAX_GROUP_NAME} letters, digits and \
             any of - _ . :"
        ),
    ))
}

fn check_interval(interval: Spanned<i64>) -> Result<i64, Wrong> {
    let seconds = *interval.get_ref();
    if seconds == 0 || RECHECK_INTERVALS.contains(&seconds) {
        return Ok(seconds);
    }
    let (min, max) = (RECHECK_INTERVALS.start(), RECHECK_INTERVALS.end());
    let why = format!("write recheck as {min} to {max} seconds, or 0 to ask only at sign-ins");
    Err(at(&interval, why))
}

fn check_contact(contact: Spanned<String>) -> Result<String, Wrong> {
    let text = contact.get_ref().trim();
    if text.is_empty() || text.len() > MAX_CONTACT {
        let why = format!(
            "write in contact, with up to {MAX_CONTACT} bytes, whom people ask for access, or leave \
             it out"
        );
        return Err(at(&contact, why));
    }
    Ok(text.to_owned())
}

/// Checks that a person can come in, and that `allow` and `deny` do not contradict each other.
fn check_membership(section: &AccessSection, start: usize) -> Result<(), Wrong> {
    for name in section.allow.iter().chain(&section.deny) {
        section.find(name)?;
    }
    if let Some(both) = section.allow.iter().find(|name| section.deny.contains(name)) {
        let name = both.get_ref();
        let why = format!("the group {name:?} is in allow and in deny; remove it from one of them");
        return Err(at(both, why));
    }
    match section.allow.first() {
        Some(first) if section.anyone => Err(at(
            first,
            "anyone = true admits every account already; remove it, or remove allow",
        )),
        None if !section.anyone => Err((
            start,
            "this admits no person; write allow = [\"…\"] with names of [access.groups], or anyone = \
             true to admit every account"
                .into(),
        )),
        _ => Ok(()),
    }
}

impl AccessSection {
    /// Refuses the name of a group that is described nowhere.
    fn find(&self, name: &Spanned<String>) -> Result<(), Wrong> {
        let text = name.get_ref().as_str();
        if self.groups.contains_key(text) {
            return Ok(());
        }
        let known = self.groups.keys().map(|name| name.get_ref().as_str());
        let advice = suggestion(text, known)
            .unwrap_or_else(|| format!("; describe it under [access.groups.{text}]"));
        Err(at(name, format!("the group {text:?} is not described{advice}")))
    }
}

impl AccessSection {
    /// Refuses a claim that could not be told from another, or that would be too long for a token. Nothing
    /// is left out of a claim when a token is issued.
    fn check_claim(&self, resources: &[Resource], start: usize) -> Result<(), Wrong> {
        if let Some(claim) = &self.groups_claim {
            claim_name::check(claim.get_ref()).map_err(|why| at(claim, why))?;
        }
        let own = resources.iter().filter_map(|resource| resource.groups_claim.as_deref());
        let all = self.groups_claim.iter().map(|claim| claim.get_ref().as_str()).chain(own);
        let length: usize = self.groups.keys().map(|name| name.get_ref().len()).sum();
        if length > MAX_GROUP_NAMES && all.into_iter().any(|name| name != claim_name::OFF) {
            let start = self.groups_claim.as_ref().map_or(start, |claim| claim.span().start);
            let why = format!(
                "the names of all groups have {length} bytes, and a claim may have {MAX_GROUP_NAMES}; \
                 describe fewer groups, shorten their names, or remove groups_claim"
            );
            return Err((start, why));
        }
        Ok(())
    }
}

impl GroupSection {
    fn rules(&self, name: &Spanned<String>, around: &Surroundings<'_>) -> Result<Vec<Rule>, Wrong> {
        let mut rules = Vec::new();
        let github = [
            ("github_users", &self.github_users, login as fn(&str) -> Option<Rule>),
            ("github_organisations", &self.github_organisations, organisation),
            ("github_teams", &self.github_teams, team),
        ];
        for (key, list, parse) in github {
            if let Some(first) = list.first().filter(|_| !around.has_github) {
                let why = format!(
                    "people cannot sign in with GitHub here; set GITHUB_CLIENT_ID and \
                     GITHUB_CLIENT_SECRET, or remove {key}"
                );
                return Err(at(first, why));
            }
            rules.extend(parsed(key, list, parse)?);
        }
        rules.extend(parsed("emails", &self.emails, email)?);
        rules.extend(parsed("email_domains", &self.email_domains, domain)?);
        for claim in &self.claims {
            rules.push(claim.check(around)?);
        }
        rules.extend(self.provisioned_rules(around)?);
        if rules.is_empty() {
            let why = format!(
                "the group {:?} matches no person; give it github_users, github_organisations, \
                 github_teams, emails, email_domains, claims or scim_groups",
                name.get_ref()
            );
            return Err(at(name, why));
        }
        Ok(rules)
    }
}

impl GroupSection {
    /// What the provisioning system says of the people of the group.
    fn provisioned_rules(&self, around: &Surroundings<'_>) -> Result<Vec<Rule>, Wrong> {
        let all = self.provisioned.as_ref().filter(|all| *all.get_ref());
        let places = self.scim_groups.iter().map(|name| name.span().start);
        if let Some(at) = places.chain(all.map(|all| all.span().start)).next()
            && !around.has_scim
        {
            return Err((at, "describe the provisioning system under [scim] first".into()));
        }
        let mut rules = parsed("scim_groups", &self.scim_groups, scim_group)?;
        rules.extend(all.map(|_| Rule::Provisioned));
        Ok(rules)
    }
}

/// The rules of one key, or what to write instead of the first value that can match no person.
fn parsed(
    key: &str,
    list: &[Spanned<String>],
    parse: fn(&str) -> Option<Rule>,
) -> Result<Vec<Rule>, Wrong> {
    let example = match key {
        "github_users" => "a login name, as in \"octocat\"",
        "github_organisations" => {
            "the name of an organisation, as in \"acme\"; teams go into github_teams"
        }
        "github_teams" => "a team with its organisation, as in \"acme/platform\"",
        "scim_groups" => "the name of a group, as in \"Engineering\"",
        "emails" => "a whole address, as in \"ada@acme.example\"; domains go into email_domains",
        _ => "a domain alone, as in \"acme.example\"; addresses go into emails",
    };
    let rules = list.iter().map(|value| {
        parse(&value.get_ref().to_lowercase()).ok_or_else(|| {
            at(value, format!("{:?} in {key} matches no person; write {example}", value.get_ref()))
        })
    });
    rules.collect()
}

impl ClaimSection {
    fn check(&self, around: &Surroundings<'_>) -> Result<Rule, Wrong> {
        let upstream = self.upstream.get_ref();
        let is_known = around.claim_sources.contains(&upstream.as_str());
        if !is_known && upstream == GITHUB {
            let why = "GitHub makes no claims; use github_organisations or github_teams";
            return Err(at(&self.upstream, why));
        }
        if !is_known {
            let advice = suggestion(upstream, around.claim_sources.iter().copied())
                .unwrap_or_else(|| "; describe it under [[upstreams]]".into());
            return Err(at(
                &self.upstream,
                format!("the upstream {upstream:?} is not configured{advice}"),
            ));
        }
        let claim = self.claim.get_ref();
        if claim.is_empty() {
            return Err(at(&self.claim, "name the claim, as in claim = \"groups\""));
        }
        let any_of = self.any_of.get_ref();
        if any_of.is_empty() || any_of.iter().any(String::is_empty) {
            let why = format!("name the values of {claim:?} that count, as in any_of = [\"eng\"]");
            return Err(at(&self.any_of, why));
        }
        Ok(Rule::Claim {
            upstream: upstream.clone(),
            claim: claim.clone(),
            any_of: any_of.iter().cloned().collect(),
        })
    }
}

#[cfg(test)]
mod tests;
