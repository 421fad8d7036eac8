//! Groups of people, by what they have in common.

use std::{collections::BTreeSet, sync::Arc};

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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

impl FromIterator<Arc<str>> for Groups {
    fn from_iter<I: IntoIterator<Item = Arc<str>>>(names: I) -> Self {
        Self(names.into_iter().collect())
    }
}
