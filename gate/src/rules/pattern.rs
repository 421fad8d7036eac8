//! Patterns of names, such as `delete_*`.

/// A name in which `*` matches any text. Upper and lower case are alike, because the server may not
/// tell them apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern(String);

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        Self(fold_case(text))
    }

    /// Whether a name fits whose differences in case are removed.
    pub(super) fn fits(&self, folded: &str) -> bool {
        let mut pieces = self.0.split('*');
        let first = pieces.next().unwrap_or_default();
        let Some(mut rest) = folded.strip_prefix(first) else {
            return false;
        };
        let mut pieces: Vec<&str> = pieces.collect();
        let Some(last) = pieces.pop() else {
            return rest.is_empty();
        };
        // The leftmost place is the best for each piece, because it leaves most to the others.
        for piece in pieces {
            let Some((_, after)) = rest.split_once(piece) else {
                return false;
            };
            rest = after;
        }
        rest.ends_with(last)
    }
}

/// Removes what some servers do not tell apart: case, and blanks around a name. Upper case comes first, so
/// that the long s (ſ) and the Kelvin sign (K) become ASCII letters too.
pub(super) fn fold_case(text: &str) -> String {
    text.trim().chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asterisk_matches_any_text_and_everything_else_for_itself() {
        let fits = |pattern: &str, name: &str| Pattern::new(pattern).fits(&fold_case(name));
        for (pattern, name) in [
            ("echo", "echo"),
            ("echo", " ECHO "),
            ("delete_*", "delete_all"),
            ("delete_*", "delete_"),
            ("*", ""),
            ("*", "anything"),
            ("*_admin", "users_admin"),
            ("a*b*c", "a-b-b-c"),
            ("a*b*c", "abc"),
            ("file:///*/secret", "file:///a/b/secret"),
            ("**", "x"),
            ("mask", "ma\u{17f}k"),
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("echo", "echo2"),
            ("echo", "an echo"),
            ("delete_*", "undelete_all"),
            ("*_admin", "users_admin2"),
            ("a*b*c", "acb"),
            ("ab*bc", "abc"),
            ("e.ho", "echo"),
            ("", "echo"),
        ] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }
}
