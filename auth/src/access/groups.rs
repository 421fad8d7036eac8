//! Groups of people, by what they have in common.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::Serialize;

use super::{facts::FactsByUpstream, rule::Rule};

/// A group: a person who meets one of the rules is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) name: Arc<str>,
    pub(crate) rules: Vec<Rule>,
}

impl Group {
    /// The first of its rules that puts a person into it.
    pub(crate) fn rule_met_by(&self, facts: &FactsByUpstream) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.is_met_by(facts))
    }
}

/// Names of the groups that a person is in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Groups(BTreeSet<Arc<str>>);

impl Groups {
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// The names in alphabetical order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|name| &**name)
    }
}

/// The groups of a person under the name of a claim. Without a name, it adds no member to what it is
/// flattened into.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct GroupsClaim(BTreeMap<String, Groups>);

impl GroupsClaim {
    pub(crate) fn new(name: Option<&str>, groups: &Groups) -> Self {
        Self(name.map(|name| (name.to_owned(), groups.clone())).into_iter().collect())
    }
}

impl FromIterator<Arc<str>> for Groups {
    fn from_iter<I: IntoIterator<Item = Arc<str>>>(names: I) -> Self {
        Self(names.into_iter().collect())
    }
}
