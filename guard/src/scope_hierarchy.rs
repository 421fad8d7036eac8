//! Scopes that imply others.

use std::collections::HashMap;

/// The scopes that each scope implies, such as reading for writing.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScopeHierarchy(HashMap<String, Vec<String>>);

impl ScopeHierarchy {
    pub(crate) fn add(&mut self, scope: &str, implied: Vec<String>) {
        self.0.entry(scope.to_owned()).or_default().extend(implied);
    }

    /// Adds every implied scope to the granted ones.
    pub(crate) fn expand(&self, mut scopes: Vec<String>) -> Vec<String> {
        let mut next = 0;
        while let Some(scope) = scopes.get(next).cloned() {
            for implied in self.0.get(&scope).into_iter().flatten() {
                if !scopes.contains(implied) {
                    scopes.push(implied.clone());
                }
            }
            next += 1;
        }
        scopes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(scopes: &[&str]) -> Vec<String> {
        scopes.iter().map(|scope| (*scope).to_owned()).collect()
    }

    #[test]
    fn a_scope_brings_those_that_it_holds_even_in_a_circle() {
        let mut hierarchy = ScopeHierarchy::default();
        hierarchy.add("admin", texts(&["write"]));
        hierarchy.add("write", texts(&["read", "admin"]));
        assert_eq!(hierarchy.expand(texts(&["admin"])), ["admin", "write", "read"]);
        assert_eq!(hierarchy.expand(texts(&["read"])), ["read"]);
        assert_eq!(hierarchy.expand(texts(&["ADMIN"])), ["ADMIN"]);
    }
}
