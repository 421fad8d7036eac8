//! What upstreams say of a person.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// What one upstream said of a person when it was last asked. Names of users, organisations and teams are
/// in lower case, because GitHub does not tell `Acme` from `acme`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Facts {
    /// Login name there.
    pub(crate) login: Option<String>,
    /// Addresses that it has verified, in lower case.
    pub(crate) verified_emails: BTreeSet<String>,
    /// Organisations, of those asked about, that the person is an active member of.
    pub(crate) organisations: BTreeSet<String>,
    /// Teams, of those asked about, as `organisation/team`.
    pub(crate) teams: BTreeSet<String>,
    /// Claims of an OpenID provider, of those asked about. A claim that is one text, number or boolean is a set of one.
    pub(crate) claims: BTreeMap<String, BTreeSet<String>>,
    /// Whether the provisioning system has deactivated or deleted the person's user there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_deactivated: bool,
    /// When it was asked, in seconds since 1970.
    pub(crate) asked_at: i64,
}

/// Everything known of a person, by upstream (`github`, or the name of an OpenID provider). Stored as JSON in `users.facts`.
pub(crate) type FactsByUpstream = BTreeMap<String, Facts>;

/// What the rules need to know, and what upstreams are asked for no other reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Questions {
    /// Organisations at GitHub.
    pub(crate) organisations: BTreeSet<String>,
    /// Teams at GitHub, as `organisation/team`.
    pub(crate) teams: BTreeSet<String>,
    /// Claims, by OpenID provider.
    pub(crate) claims: BTreeMap<String, BTreeSet<String>>,
    /// Values of claims that rules name. A person with more values than are kept keeps these first.
    pub(crate) values: BTreeSet<String>,
}
