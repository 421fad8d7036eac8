//! A `client_id` that is the address of the client's metadata document
//! (draft-ietf-oauth-client-id-metadata-document §3).

use net::loopback::is_loopback;
use url::Url;

use super::error::{ErrorCode, OAuthError};

/// Longest such `client_id`, in bytes.
const MAX_LENGTH: usize = 1024;

/// Whether a `client_id` looks like a URL.
pub(crate) fn is_url(client_id: &str) -> bool {
    client_id.contains("://")
}

/// Parses it. Only the canonical spelling of a URL is accepted, so that no two `client_id`s name the same
/// document and no parser on the way reads another one. `allows_loopback` lets development use plain http
/// on this machine.
pub(crate) fn parse(client_id: &str, allows_loopback: bool) -> Result<Url, OAuthError> {
    let refused = |why: &str| {
        ErrorCode::InvalidClient.error(
            "client_id_url",
            format!(
                "The client_id is a URL that {why}. Use https, a host name, a path without . and \
                 .. segments, and the canonical spelling."
            ),
        )
    };
    if client_id.len() > MAX_LENGTH {
        return Err(refused("is longer than 1024 bytes"));
    }
    let url = Url::parse(client_id).map_err(|_| refused("cannot be read"))?;
    let is_local = allows_loopback && is_loopback(&url) && url.scheme() == "http";
    if url.scheme() != "https" && !is_local {
        return Err(refused("does not use https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("has user information"));
    }
    if url.fragment().is_some() {
        return Err(refused("has a fragment"));
    }
    if url.as_str() != client_id {
        return Err(refused("is not spelled canonically"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canonical_https_url_with_a_path_is_a_client_id() {
        for text in [
            "https://claude.ai/oauth/claude-code-client-metadata",
            "https://vscode.dev/oauth/client-metadata.json",
            "https://cimd.test/",
            "https://cimd.test:8443/c.json",
            "https://cimd.test/c.json?v=2",
            "https://xn--imd-8cd.test/c.json",
        ] {
            assert!(is_url(text) && parse(text, false).is_ok(), "{text}");
        }
    }

    #[test]
    fn any_other_spelling_is_refused() {
        for text in [
            "http://cimd.test/c.json",
            "https://cimd.test",
            "https://u:p@cimd.test/c",
            "https://u@cimd.test/c",
            "https://cimd.test/c#f",
            "https://cimd.test/c#",
            "https://cimd.test/../c",
            "https://cimd.test/./c",
            "https://cimd.test/a/..",
            "https://cimd.test/%2e%2e/c",
            "HTTPS://cimd.test/c",
            "https://CIMD.test/c",
            "https://cimd.test:443/c",
            "https://cimd.test\\c",
            "https:///cimd.test/c",
            "https://\u{441}imd.test/c.json",
            "https://cimd.test\u{2024}evil.test/",
            "https://127.1/c",
            "https://0x7f000001/c",
            "https://[::0001]/c",
            " https://cimd.test/c",
            "https://cimd.test/\tc",
            "ftp://cimd.test/c",
            "cursor://cimd.test/c",
            "http://localhost/c.json",
            "://",
        ] {
            assert!(is_url(text), "{text}");
            assert_eq!(parse(text, false).unwrap_err().reason, "client_id_url", "{text}");
        }
        let long = format!("https://cimd.test/{}", "a".repeat(8192));
        assert!(parse(&long, false).is_err());
    }

    #[test]
    fn development_may_use_plain_http_on_this_machine_and_nowhere_else() {
        assert!(parse("http://localhost:4000/c.json", true).is_ok());
        assert!(parse("http://127.0.0.1:4000/c.json", true).is_ok());
        assert!(parse("http://cimd.test/c.json", true).is_err());
        assert!(parse("ftp://localhost/c.json", true).is_err());
    }
}
