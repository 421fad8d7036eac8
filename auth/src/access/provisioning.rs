//! What a provisioning system (SCIM) says of a person, and how its users are matched with people who sign in.

use std::collections::BTreeSet;

use super::facts::Facts;

/// Name of the provisioning system among the upstreams.
pub(crate) const SCIM: &str = "scim";
/// The claim that holds the names of the groups there, in lower case.
const GROUPS: &str = "groups";

/// How the provisioning system's users are matched with people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Provisioning {
    /// The upstream where the users sign in. What others say of a person matches no user.
    pub(crate) upstream: String,
    pub(crate) matched_by: MatchedBy,
}

/// What must be the same for a person to be a user. Each is proven by the upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MatchedBy {
    /// `userName` and an address that the upstream has verified.
    Email,
    /// `userName` and the login name at GitHub.
    Login,
    /// `externalId` and the upstream's identifier of the person.
    Subject,
    /// `externalId` and a claim of the upstream.
    Claim(String),
}

/// The values by which a person is looked for among the users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MatchingKeys {
    /// Values of `userName`, in lower case.
    UserName(BTreeSet<String>),
    /// Values of `externalId`.
    ExternalId(BTreeSet<String>),
}

impl Provisioning {
    /// The values that are proven of a person whom the upstream calls `subject`.
    pub(crate) fn keys(&self, subject: &str, facts: &Facts) -> MatchingKeys {
        match &self.matched_by {
            MatchedBy::Email => MatchingKeys::UserName(facts.verified_emails.clone()),
            MatchedBy::Login => MatchingKeys::UserName(facts.login.iter().cloned().collect()),
            MatchedBy::Subject => MatchingKeys::ExternalId([subject.to_owned()].into()),
            MatchedBy::Claim(name) => {
                MatchingKeys::ExternalId(facts.claims.get(name).cloned().unwrap_or_default())
            }
        }
    }
}

impl MatchingKeys {
    /// Whether a user has one of them.
    pub(crate) fn fit(&self, user_name: &str, external_id: Option<&str>) -> bool {
        match self {
            Self::UserName(names) => names.contains(user_name),
            Self::ExternalId(ids) => external_id.is_some_and(|id| ids.contains(id)),
        }
    }
}

impl Facts {
    /// What the provisioning system says of a user.
    pub(crate) fn provisioned(is_active: bool, groups: BTreeSet<String>) -> Self {
        let claims = [(GROUPS.to_owned(), groups)].into();
        Self { claims, is_deactivated: !is_active, ..Self::default() }
    }

    /// Whether the provisioning system has put the person into a group.
    pub(super) fn has_provisioned_group(&self, name: &str) -> bool {
        self.claims.get(GROUPS).is_some_and(|groups| groups.contains(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(matched_by: MatchedBy) -> MatchingKeys {
        let facts = serde_json::json!({"login": "ada", "verified_emails": ["ada@acme.example"],
            "claims": {"oid": ["7-7"]}});
        let facts = serde_json::from_value(facts).unwrap();
        Provisioning { upstream: "corp".into(), matched_by }.keys("sub-1", &facts)
    }

    #[test]
    fn a_user_is_matched_by_what_the_upstream_has_proven_alone() {
        for (matched_by, name, id, fits) in [
            (MatchedBy::Email, "ada@acme.example", None, true),
            (MatchedBy::Email, "ada", Some("sub-1"), false),
            (MatchedBy::Login, "ada", None, true),
            (MatchedBy::Login, "ada@acme.example", Some("sub-1"), false),
            (MatchedBy::Subject, "bob", Some("sub-1"), true),
            (MatchedBy::Subject, "sub-1", None, false),
            (MatchedBy::Subject, "ada", Some("Sub-1"), false),
            (MatchedBy::Claim("oid".into()), "bob", Some("7-7"), true),
            (MatchedBy::Claim("oid".into()), "7-7", Some("sub-1"), false),
            (MatchedBy::Claim("other".into()), "ada", Some("7-7"), false),
        ] {
            assert_eq!(
                keys(matched_by.clone()).fit(name, id),
                fits,
                "{matched_by:?} {name} {id:?}"
            );
        }
    }
}
