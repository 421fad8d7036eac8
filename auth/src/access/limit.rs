//! Scopes and resources that only some groups may have.

use super::groups::Groups;

/// A person who is in none of these groups never gets the scopes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    /// Identifier of the resource.
    pub(crate) resource: String,
    /// The scopes that are limited; `None` for the whole resource.
    pub(crate) scopes: Option<Vec<String>>,
    /// The groups that may have them.
    pub(crate) groups: Vec<String>,
}

impl Limit {
    /// Whether this keeps a person of `groups` from all of `resource`.
    pub(super) fn withholds(&self, resource: &str, groups: &Groups) -> bool {
        self.scopes.is_none() && self.concerns(resource, groups)
    }

    /// Whether this keeps a person of `groups` from a scope of `resource`.
    pub(super) fn withholds_scope(&self, resource: &str, scope: &str, groups: &Groups) -> bool {
        let is_named =
            self.scopes.as_ref().is_none_or(|scopes| scopes.iter().any(|one| one == scope));
        is_named && self.concerns(resource, groups)
    }

    fn concerns(&self, resource: &str, groups: &Groups) -> bool {
        self.resource == resource && !self.groups.iter().any(|group| groups.contains(group))
    }
}
