//! Identifiers of resources (RFC 8707 §2): their one spelling in tokens, and which others mean the
//! same.

use net::loopback::is_loopback;
use url::Url;

/// The one spelling of a resource's identifier that is used in tokens: as URLs are written,
/// without a trailing slash. `None` for what cannot name a resource (RFC 8707 §2).
pub(crate) fn canonical(identifier: &str) -> Option<String> {
    let url = Url::parse(identifier).ok()?;
    let usable = matches!(url.scheme(), "https" | "http")
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    usable.then(|| match url.query() {
        None => url.as_str().trim_end_matches('/').to_owned(),
        Some(_) => url.into(),
    })
}

/// Whether two identifiers name one resource: compared as URLs, without a trailing slash, and
/// with one meaning for the three spellings of this machine, which clients use side by side.
pub(crate) fn same(known: &str, requested: &str) -> bool {
    let (Ok(known), Ok(requested)) = (Url::parse(known), Url::parse(requested)) else {
        return false;
    };
    requested.fragment().is_none()
        && requested.username().is_empty()
        && requested.password().is_none()
        && known.scheme() == requested.scheme()
        && known.port_or_known_default() == requested.port_or_known_default()
        && known.path().trim_end_matches('/') == requested.path().trim_end_matches('/')
        && known.query() == requested.query()
        && (known.host() == requested.host() || is_loopback(&known) && is_loopback(&requested))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_resource_are_the_same() {
        for text in [
            "http://localhost:3001/mcp",
            "http://localhost:3001/mcp/",
            "HTTP://LOCALHOST:3001/mcp",
            "http://127.0.0.1:3001/mcp",
            "http://[::1]:3001/mcp",
        ] {
            assert!(same("http://localhost:3001/mcp", text), "{text}");
        }
    }

    #[test]
    fn anything_else_is_another_resource_or_none() {
        for text in [
            "http://localhost:3001/mcp#f",
            "http://localhost:3001/MCP",
            "http://localhost:3001/mcp/../admin",
            "http://localhost:3001",
            "http://localhost:3001/mcp?x=1",
            "https://localhost:3001/mcp",
            "http://u@localhost:3001/mcp",
            "http://127.0.0.2:3001/mcp",
            "http://evil.test/mcp",
            "mcp",
            "",
        ] {
            assert!(!same("http://localhost:3001/mcp", text), "{text}");
        }
    }

    #[test]
    fn the_canonical_spelling_is_as_urls_are_written_without_a_slash_at_the_end() {
        for text in ["https://mcp.example.com", "http://localhost:3001/mcp", "https://a.b/c?d=e/"] {
            assert_eq!(canonical(text).as_deref(), Some(text));
        }
        assert_eq!(
            canonical("https://MCP.example.com:443/mcp/").as_deref(),
            Some("https://mcp.example.com/mcp")
        );
        for text in ["mcp", "urn:mcp", "https://u@mcp.example.com", "https://mcp.example.com#a", ""]
        {
            assert_eq!(canonical(text), None, "{text}");
        }
    }
}
