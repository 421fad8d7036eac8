//! Scopes: what a token may be used for (RFC 6749 §3.3).

use std::fmt;

use super::error::{ErrorCode, OAuthError};

/// Scopes that reveal the person, understood for every resource, with their words for people.
pub const USER_SCOPES: [(&str, &str); 4] = [
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
    pub fn parse(text: &str) -> Result<Self, OAuthError> {
        let legal = |b: u8| b == b' ' || (0x21..=0x7e).contains(&b) && b != b'"' && b != b'\\';
        if !text.bytes().all(legal) {
            return Err(OAuthError::new(
                ErrorCode::InvalidScope,
                "scope_malformed",
                "The parameter scope holds a character that scopes may not have.",
            ));
        }
        Ok(text.split(' ').filter(|scope| !scope.is_empty()).collect())
    }

    /// Whether `scope` is in the set.
    pub fn contains(&self, scope: &str) -> bool {
        self.0.iter().any(|one| one == scope)
    }

    /// Whether every scope of `other` is in the set.
    pub fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|scope| self.contains(scope))
    }

    /// Whether there is no scope.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The scopes, one by one.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl<'a> FromIterator<&'a str> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = &'a str>>(scopes: I) -> Self {
        let mut set = Self::default();
        for scope in scopes {
            if !set.contains(scope) {
                set.0.push(scope.into());
            }
        }
        set
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
}
