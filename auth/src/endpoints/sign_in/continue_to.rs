//! Where a person goes on after a sign-in or a sign-out.

use crate::oauth::OAuthError;

/// A place on this server to go on at, never another origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContinueTo(String);

impl ContinueTo {
    /// Accepts a path of this server; without one, it is the home page.
    pub(crate) fn parse(path: Option<&str>) -> Result<Self, OAuthError> {
        let path = path.unwrap_or("/");
        let safe = path.starts_with('/')
            && !path.starts_with("//")
            && !path.bytes().any(|b| b == b'\\' || b.is_ascii_control());
        if safe {
            Ok(Self(path.into()))
        } else {
            Err(OAuthError::invalid_request(
                "continue_elsewhere",
                "The place to continue at is not on this server.",
            ))
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::ContinueTo;

    #[test]
    fn only_a_path_of_this_server_is_continued_at() {
        assert!(ContinueTo::parse(Some("/authorize?a=b")).is_ok());
        assert!(ContinueTo::parse(None).is_ok());
        for path in ["//evil.test", "/\\evil.test", "https://evil.test", "evil", "/a\r\nb"] {
            assert_eq!(ContinueTo::parse(Some(path)).unwrap_err().reason, "continue_elsewhere");
        }
    }
}
