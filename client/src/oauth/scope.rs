//! Step 5: which scopes to ask for (MCP authorization, "Scope Selection Strategy" and "Step-Up").

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{OAuthError, member::List};

/// Longest list of scopes in bytes, because servers limit the length of the request URL.
const MAX_LENGTH: usize = 8 * 1024;

/// A set of scopes in the order they were named (RFC 6749 §3.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scope(Vec<String>);

impl Scope {
    /// Reads a space-separated list; a scope named twice counts once.
    pub(crate) fn parse(text: &str) -> Self {
        Self::distinct(text.split_ascii_whitespace().map(str::to_owned))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether everything in `other` is in here.
    pub(crate) fn covers(&self, other: &Scope) -> bool {
        let mine: BTreeSet<_> = self.0.iter().collect();
        other.0.iter().all(|scope| mine.contains(scope))
    }

    /// This, then what `other` adds.
    pub(crate) fn union(self, other: &Scope) -> Self {
        Self::distinct(self.0.into_iter().chain(other.0.iter().cloned()))
    }

    fn distinct(scopes: impl Iterator<Item = String>) -> Self {
        let mut seen = BTreeSet::new();
        Self(scopes.filter(|scope| seen.insert(scope.clone())).collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl From<&List> for Scope {
    fn from(list: &List) -> Self {
        Self::parse(&list.0.join(" "))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join(" "))
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::parse(&String::deserialize(deserializer)?))
    }
}

/// Everything that the choice of scopes depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScopeSources<'a> {
    /// The `scope` of the challenge, if it names any.
    pub(crate) challenge: Option<&'a Scope>,
    /// `scopes_supported` of the protected resource metadata, if it has that member.
    pub(crate) resource: Option<&'a Scope>,
    /// `scopes_supported` of the authorization server metadata, if it has that member.
    pub(crate) authorization_server: Option<&'a Scope>,
    /// The scopes of the previous request, unless this is the first sign-in.
    pub(crate) requested_before: Option<&'a Scope>,
}

/// The scopes to request: those of the challenge, or else all that the resource lists. Scopes that
/// were requested before are kept, so that a step-up never loses one, and `offline_access` is added
/// if the authorization server lists it.
pub(crate) fn select(sources: ScopeSources<'_>) -> Result<Scope, OAuthError> {
    let needed = sources.challenge.or(sources.resource).cloned().unwrap_or_default();
    let wanted = match sources.requested_before {
        Some(before) => before.clone().union(&needed),
        None => needed,
    };
    let offline_access = Scope::parse("offline_access");
    let wanted = match sources.authorization_server {
        Some(listed) if listed.covers(&offline_access) => wanted.union(&offline_access),
        _ => wanted,
    };
    match wanted.to_string().len() {
        ..=MAX_LENGTH => Ok(wanted),
        _ => Err(OAuthError::TooManyScopes { count: wanted.0.len() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(
        challenged: Option<&str>,
        resource: Option<&str>,
        server: Option<&str>,
        before: Option<&str>,
    ) -> String {
        let scope = |text: Option<&str>| text.map(Scope::parse);
        select(ScopeSources {
            challenge: scope(challenged).as_ref(),
            resource: scope(resource).as_ref(),
            authorization_server: scope(server).as_ref(),
            requested_before: scope(before).as_ref(),
        })
        .expect("a request can carry them")
        .to_string()
    }

    #[test]
    fn the_challenge_comes_before_the_metadata() {
        assert_eq!(selected(Some("mcp:basic"), Some("mcp:profile"), None, None), "mcp:basic");
    }

    #[test]
    fn without_a_challenged_scope_everything_the_resource_lists_is_asked_for() {
        assert_eq!(
            selected(None, Some("read write"), Some("read write admin"), None),
            "read write"
        );
    }

    #[test]
    fn if_nobody_names_a_scope_none_is_asked_for() {
        assert_eq!(selected(None, None, Some("read write"), None), "");
    }

    #[test]
    fn a_step_up_keeps_what_was_asked_for_before() {
        assert_eq!(selected(Some("write"), Some("profile"), None, Some("basic")), "basic write");
    }

    #[test]
    fn offline_access_needs_a_server_that_lists_it() {
        assert_eq!(selected(Some("a"), None, Some("a offline_access"), None), "a offline_access");
        assert_eq!(selected(Some("a"), None, Some("a b"), None), "a");
    }

    #[test]
    fn a_list_that_no_request_can_carry_is_refused_in_no_time() {
        let many: Vec<_> = (0..100_000).map(|number| format!("s{number}")).collect();
        let many = Scope::parse(&many.join(" "));
        for (challenge, resource) in [(Some(&many), None), (None, Some(&many))] {
            let sources = ScopeSources {
                challenge,
                resource,
                authorization_server: None,
                requested_before: None,
            };
            let refused = select(sources).map(|scope| scope.0.len());
            assert!(matches!(refused, Err(OAuthError::TooManyScopes { count: 100_000 })));
        }
    }

    #[test]
    fn a_scope_named_twice_counts_once() {
        assert_eq!(Scope::parse(" a  b a ").to_string(), "a b");
        assert!(
            Scope::parse("a b").covers(&Scope::parse("b"))
                && !Scope::parse("a").covers(&Scope::parse("b"))
        );
    }
}
