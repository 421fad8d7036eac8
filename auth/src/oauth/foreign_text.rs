//! Text that other servers send about people, and what of it is stored, alike on either engine.
//!
//! PostgreSQL stores no U+0000, and no index entry longer than 2,704 bytes; SQLite takes both. One
//! rule before the database makes sign-in work alike on both engines.

/// Longest identifier, in bytes. OpenID Connect Core §2 allows a `sub` 255 characters.
const MAX_IDENTIFIER_LENGTH: usize = 256;
/// Longest name that is stored, in characters.
const MAX_NAME_LENGTH: usize = 200;
/// Longest address or URL that is stored, in bytes.
const MAX_ADDRESS_LENGTH: usize = 2048;

/// The identifier of a person at an upstream or a trusted issuer. It decides whose account it is,
/// so it is refused where it cannot be stored, and never altered: two people would become one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamSubject(String);

impl UpstreamSubject {
    /// An identifier of 1 to 256 bytes without control characters.
    pub fn parse(text: &str) -> Option<Self> {
        is_identifier(text).then(|| Self(text.into()))
    }

    /// The identifier as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether the text can be kept as an identifier: 1 to 256 bytes without control characters.
pub(crate) fn is_identifier(text: &str) -> bool {
    (1..=MAX_IDENTIFIER_LENGTH).contains(&text.len()) && !text.contains(char::is_control)
}

/// A name for people to read, without control characters and at most 200 characters long. `None`
/// where nothing is left.
pub(crate) fn clean_name(text: &str) -> Option<String> {
    let kept: String = text.chars().filter(|c| !c.is_control()).take(MAX_NAME_LENGTH).collect();
    let kept = kept.trim();
    (!kept.is_empty()).then(|| kept.into())
}

/// An address or a URL. One that cannot be stored is left out, because a part of it would lead
/// somewhere else.
pub(crate) fn clean_address(text: String) -> Option<String> {
    let is_storable = (1..=MAX_ADDRESS_LENGTH).contains(&text.len());
    (is_storable && !text.contains(char::is_control)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_kept_as_it_is_or_refused() {
        for text in ["7", "583231", "auth0|5f7c8ec7", "Ünïcode 東京", &"x".repeat(256)] {
            assert_eq!(UpstreamSubject::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "\0", "a\0b", "a\nb", "a\u{7f}", "a\u{85}b", &"x".repeat(257)] {
            assert_eq!(UpstreamSubject::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_name_loses_control_characters_and_its_end() {
        assert_eq!(clean_name(" Ni\0ck\u{9b} Lu\ncas ").as_deref(), Some("Nick Lucas"));
        assert_eq!(clean_name(&"é".repeat(900_000)), Some("é".repeat(200)));
        assert_eq!(clean_name(" \0 "), None);
    }

    #[test]
    fn an_address_is_kept_whole_or_left_out() {
        assert_eq!(clean_address("a@b.test".into()).as_deref(), Some("a@b.test"));
        for text in ["", "a\0@b.test", "https://a.test/\n", &"x".repeat(2049)] {
            assert_eq!(clean_address(text.into()), None, "{text:?}");
        }
    }
}
