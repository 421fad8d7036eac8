//! Codes that a person reads on one screen and types on another (RFC 8628 §6.1).

use aws_lc_rs::rand;

use super::error::OAuthError;

/// Consonants that are hard to confuse, so that no code spells a word.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const LENGTH: usize = 8;
/// What people put between the letters, besides spaces.
const SEPARATORS: [char; 5] = ['-', '–', '—', '_', '.'];

/// A code of eight letters, which people see in two halves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UserCode(String);

impl UserCode {
    /// A fresh code: one of 25.6 thousand million.
    pub(crate) fn generate() -> Result<Self, OAuthError> {
        let mut code = String::with_capacity(LENGTH);
        while code.len() < LENGTH {
            let mut byte = [0];
            rand::fill(&mut byte)
                .map_err(|error| OAuthError::server_error("no_randomness", error.to_string()))?;
            // Bytes beyond the last whole multiple would favour the first letters.
            let index = usize::from(byte[0]);
            if index < 240
                && let Some(letter) = LETTERS.get(index % LETTERS.len())
            {
                code.push(char::from(*letter));
            }
        }
        Ok(Self(code))
    }

    /// Reads what a person typed: in any case, with or without spaces and hyphens. `None` for
    /// what cannot be a code.
    pub(crate) fn parse(typed: &str) -> Option<Self> {
        let letters = typed.chars().filter(|c| !c.is_whitespace() && !SEPARATORS.contains(c));
        let letters = letters.take(LENGTH + 1);
        let code: String = letters.map(|letter| letter.to_ascii_uppercase()).collect();
        let is_code = code.len() == LENGTH && code.bytes().all(|byte| LETTERS.contains(&byte));
        is_code.then_some(Self(code))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn shown(&self) -> String {
        let (first, second) = self.0.split_at(LENGTH / 2);
        format!("{first}-{second}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_typed_in_any_manner() {
        let code = UserCode::generate().unwrap();
        let shown = code.shown();
        for typed in
            [shown.clone(), shown.to_lowercase(), shown.replace('-', ""), shown.replace('-', " ")]
        {
            assert_eq!(UserCode::parse(&typed), Some(code.clone()), "{typed}");
        }
    }

    #[test]
    fn what_cannot_be_a_code_is_not_looked_up() {
        for typed in ["", "BCDF-GHJ", "BCDF-GHJKL", "BCDF-GHJA", "BCDF-GHJ1", "ＢＣＤＦ-GHJK"] {
            assert_eq!(UserCode::parse(typed), None, "{typed}");
        }
    }

    #[test]
    fn codes_differ() {
        assert_ne!(UserCode::generate().unwrap(), UserCode::generate().unwrap());
    }
}
