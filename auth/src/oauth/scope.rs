//! Scopes: what a token may be used for (RFC 6749 §3.3).

use std::{collections::HashSet, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::{ErrorCode, OAuthError};

/// Longest list of scopes, in bytes: the consent page must stay readable.
const MAX_LENGTH: usize = 4096;

/// Scopes that reveal the person, understood for every resource, with their words for people.
pub(crate) const USER_SCOPES: [(&str, &str); 4] = [
    ("openid", "Know that it is you who signed in"),
    ("profile", "See your name, user name and picture"),
    ("email", "See your e-mail address"),
    ("offline_access", "Keep access while you are away"),
];

/// A set of scopes in the order of asking, without doubles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeSet(Vec<String>);

impl ScopeSet {
    /// Reads a space-separated list. Only the characters of RFC 6749 §3.3 may occur.
    pub(crate) fn parse(text: &str) -> Result<Self, OAuthError> {
        if text.len() > MAX_LENGTH {
            return Err(ErrorCode::InvalidScope.error(
                "scope_too_long",
                format!("The parameter scope is longer than {MAX_LENGTH} bytes. Ask for less."),
            ));
        }
        if !text.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\') {
            return Err(ErrorCode::InvalidScope.error(
                "scope_malformed",
                "The parameter scope holds a character that scopes may not have.",
            ));
        }
        Ok(text.split(' ').filter(|scope| !scope.is_empty()).collect())
    }

    pub(crate) fn contains(&self, scope: &str) -> bool {
        self.0.iter().any(|one| one == scope)
    }

    /// Whether every scope of `other` is in the set.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|scope| self.contains(scope))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl<'a> FromIterator<&'a str> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = &'a str>>(scopes: I) -> Self {
        // Strangers write such lists, so one look at each must do.
        let mut seen = HashSet::new();
        Self(scopes.into_iter().filter(|scope| seen.insert(*scope)).map(Into::into).collect())
    }
}

/// As on the wire: one string, separated by spaces.
impl Serialize for ScopeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ScopeSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(text.split(' ').filter(|scope| !scope.is_empty()).collect())
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_and_stray_spaces_vanish_and_order_stays() {
        assert_eq!(ScopeSet::parse(" b  a b ").unwrap().to_string(), "b a");
    }

    #[test]
    fn illegal_characters_are_refused() {
        for text in ["a\nb", "a\tb", "\"a\"", "a\\b", "\u{202e}"] {
            assert_eq!(ScopeSet::parse(text).unwrap_err().reason, "scope_malformed");
        }
    }

    #[test]
    fn a_list_longer_than_any_is_refused_before_it_is_taken_apart() {
        assert!(ScopeSet::parse(&"a".repeat(MAX_LENGTH)).is_ok());
        let words: String = (0..17_000).map(|number| format!("{number:x} ")).collect();
        for text in [&*words, &"a".repeat(MAX_LENGTH + 1)] {
            assert_eq!(ScopeSet::parse(text).unwrap_err().reason, "scope_too_long");
        }
    }
}
