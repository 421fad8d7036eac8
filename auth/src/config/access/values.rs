//! What the values of the rules must look like, so that each can match a person.

use crate::access::Rule;

/// What GitHub allows in names of users and organisations, and in the short names of teams.
fn is_github_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

pub(super) fn login(text: &str) -> Option<Rule> {
    is_github_name(text).then(|| Rule::GithubUser(text.into()))
}

pub(super) fn organisation(text: &str) -> Option<Rule> {
    is_github_name(text).then(|| Rule::GithubOrganisation(text.into()))
}

pub(super) fn team(text: &str) -> Option<Rule> {
    let (organisation, team) = text.split_once('/')?;
    let is_one = is_github_name(organisation) && is_github_name(team);
    is_one.then(|| Rule::GithubTeam(text.into()))
}

pub(super) fn scim_group(text: &str) -> Option<Rule> {
    (!text.trim().is_empty()).then(|| Rule::ScimGroup(text.into()))
}

pub(super) fn email(text: &str) -> Option<Rule> {
    let (local, host) = text.rsplit_once('@')?;
    let is_one = !local.is_empty() && is_domain(host) && !has_blank(text);
    is_one.then(|| Rule::Email(text.into()))
}

pub(super) fn domain(text: &str) -> Option<Rule> {
    is_domain(text).then(|| Rule::EmailDomain(text.into()))
}

fn is_domain(text: &str) -> bool {
    let has_labels = text.split('.').all(|label| !label.is_empty());
    has_labels && !text.contains(['@', '/', '*', ':']) && !has_blank(text)
}

fn has_blank(text: &str) -> bool {
    text.chars().any(|c| c.is_whitespace() || c.is_control())
}
