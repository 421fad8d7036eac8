//! One condition that puts a person into a group.

use std::{collections::BTreeSet, fmt};

use super::{GITHUB, SCIM, facts::FactsByUpstream};

/// A condition. Names of GitHub and addresses are in lower case, as they are in the facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The login name at GitHub.
    GithubUser(String),
    /// Active membership of an organisation at GitHub.
    GithubOrganisation(String),
    /// Membership of a team at GitHub, as `organisation/team`.
    GithubTeam(String),
    /// An address that any upstream has verified.
    Email(String),
    /// The part after the `@` of such an address, without its subdomains.
    EmailDomain(String),
    /// One of the values of a claim of an OpenID provider or a trusted issuer.
    Claim { upstream: String, claim: String, any_of: BTreeSet<String> },
    /// A group of the provisioning system, in lower case.
    ScimGroup(String),
    /// Any user of the provisioning system.
    Provisioned,
}

impl Rule {
    /// Whether this is known to hold. What an upstream was not asked, or did not say, does not hold.
    pub(crate) fn is_met_by(&self, facts: &FactsByUpstream) -> bool {
        let github = facts.get(GITHUB);
        match self {
            Self::GithubUser(login) => github.is_some_and(|it| it.login.as_ref() == Some(login)),
            Self::GithubOrganisation(name) => {
                github.is_some_and(|it| it.organisations.contains(name))
            }
            Self::GithubTeam(name) => github.is_some_and(|it| it.teams.contains(name)),
            Self::Email(address) => {
                facts.values().any(|facts| facts.verified_emails.contains(address))
            }
            Self::EmailDomain(domain) => {
                let mut addresses = facts.values().flat_map(|facts| &facts.verified_emails);
                addresses.any(|address| domain_of(address) == Some(domain))
            }
            Self::Claim { upstream, claim, any_of } => facts
                .get(upstream)
                .and_then(|facts| facts.claims.get(claim))
                .is_some_and(|values| !values.is_disjoint(any_of)),
            Self::ScimGroup(name) => {
                facts.get(SCIM).is_some_and(|it| it.has_provisioned_group(name))
            }
            Self::Provisioned => facts.contains_key(SCIM),
        }
    }
}

/// A quoted local part may hold an `@` of its own.
fn domain_of(address: &str) -> Option<&str> {
    address.rsplit_once('@').map(|(_, domain)| domain)
}

/// In the words of the configuration file.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GithubUser(login) => write!(f, "github_users {login:?}"),
            Self::GithubOrganisation(name) => write!(f, "github_organisations {name:?}"),
            Self::GithubTeam(name) => write!(f, "github_teams {name:?}"),
            Self::Email(address) => write!(f, "emails {address:?}"),
            Self::EmailDomain(domain) => write!(f, "email_domains {domain:?}"),
            Self::Claim { upstream, claim, any_of } => {
                let values: Vec<&str> = any_of.iter().map(String::as_str).collect();
                write!(f, "claim {claim:?} of {upstream:?}, any of {values:?}")
            }
            Self::ScimGroup(name) => write!(f, "scim_groups {name:?}"),
            Self::Provisioned => f.write_str("provisioned"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn facts() -> FactsByUpstream {
        serde_json::from_value(json!({
            "github": {"login": "octocat", "verified_emails": ["cat@acme.example"],
                "organisations": ["acme"], "teams": ["acme/platform"]},
            "corp": {"verified_emails": ["\"a@b\"@corp.example"], "claims": {"groups": ["eng", "7"]}},
        }))
        .unwrap()
    }

    fn claim(upstream: &str, claim: &str, any_of: &[&str]) -> Rule {
        let any_of = any_of.iter().map(|value| (*value).to_owned()).collect();
        Rule::Claim { upstream: upstream.into(), claim: claim.into(), any_of }
    }

    #[test]
    fn a_rule_holds_for_exactly_what_its_upstream_says() {
        let facts = facts();
        for rule in [
            Rule::GithubUser("octocat".into()),
            Rule::GithubOrganisation("acme".into()),
            Rule::GithubTeam("acme/platform".into()),
            Rule::Email("cat@acme.example".into()),
            Rule::EmailDomain("acme.example".into()),
            Rule::EmailDomain("corp.example".into()),
            claim("corp", "groups", &["sales", "eng"]),
            claim("corp", "groups", &["7"]),
        ] {
            assert!(rule.is_met_by(&facts), "{rule}");
            assert!(!rule.is_met_by(&FactsByUpstream::new()), "{rule}");
        }
        for rule in [
            Rule::GithubUser("octo".into()),
            Rule::GithubOrganisation("acme/platform".into()),
            Rule::GithubTeam("acme".into()),
            Rule::GithubTeam("other/platform".into()),
            Rule::Email("dog@acme.example".into()),
            Rule::EmailDomain("example".into()),
            Rule::EmailDomain("cme.example".into()),
            Rule::EmailDomain("b\"@corp.example".into()),
            claim("corp", "groups", &["en", "engineering"]),
            claim("corp", "roles", &["eng"]),
            claim("github", "groups", &["eng"]),
        ] {
            assert!(!rule.is_met_by(&facts), "{rule}");
        }
    }
}
