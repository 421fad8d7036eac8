//! Redirect URIs: which may be registered, and when a request's matches a registered one.

use url::{Host, Url};

use super::{
    client::Client,
    error::{ErrorCode, OAuthError},
};

/// Longest redirect URI, in bytes.
const LONGEST: usize = 1024;

/// Schemes that a browser acts on itself. A private-use scheme belongs to one program; these
/// belong to none (RFC 8252 §7.1).
const FORBIDDEN_SCHEMES: [&str; 20] = [
    "about",
    "blob",
    "chrome",
    "content",
    "data",
    "edge",
    "file",
    "filesystem",
    "ftp",
    "intent",
    "jar",
    "javascript",
    "mailto",
    "ms-msdt",
    "resource",
    "search-ms",
    "vbscript",
    "view-source",
    "ws",
    "wss",
];

/// A redirect URI that may be registered: `https`, `http` on loopback, or a private-use scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectUri(String);

/// `http` on this machine, taken apart.
struct Loopback<'a> {
    host: &'a str,
    rest: &'a str,
}

impl RedirectUri {
    /// Judges a URI for registration (RFC 8252 §7, RFC 6749 §3.1.2).
    pub fn parse(text: &str) -> Result<Self, OAuthError> {
        let refused = |why: &str| {
            OAuthError::new(
                ErrorCode::InvalidRedirectUri,
                "redirect_uri_not_allowed",
                format!(
                    "A redirect URI {why}. Use https, http on localhost, 127.0.0.1 or [::1], \
                     or a private-use scheme."
                ),
            )
        };
        if text.len() > LONGEST {
            return Err(refused("is too long"));
        }
        if !text.bytes().all(|b| b.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&b)) {
            return Err(refused("holds a character that URIs may not have"));
        }
        let url = Url::parse(text).map_err(|_| refused("is not an absolute URI"))?;
        if url.fragment().is_some() {
            return Err(refused("has a fragment"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("has user information"));
        }
        let allowed = match url.scheme() {
            "https" => matches!(url.host(), Some(host) if is_plain_host(text, &host)),
            "http" => Loopback::parse(text).is_some(),
            scheme => !FORBIDDEN_SCHEMES.contains(&scheme) && text.len() > scheme.len() + 1,
        };
        match allowed {
            true => Ok(Self(text.into())),
            false => Err(refused("points to a place that is not allowed")),
        }
    }

    /// The URI as registered.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether only a program on the person's device can answer there: loopback, or a private-use
    /// scheme.
    pub fn is_native(&self) -> bool {
        !self.0.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"))
    }

    /// Whether a request's URI is this one: byte for byte, except that on loopback the port may
    /// be any, because the program learns it only when it binds (RFC 8252 §7.3).
    pub fn matches(&self, requested: &str) -> bool {
        if self.0 == requested {
            return true;
        }
        match (Loopback::parse(&self.0), Loopback::parse(requested)) {
            (Some(one), Some(other)) => one.host == other.host && one.rest == other.rest,
            _ => false,
        }
    }
}

/// Rejects a host that only becomes one by the leniency of URL parsers, and wildcards.
fn is_plain_host(text: &str, host: &Host<&str>) -> bool {
    let written = text.get("https://".len()..).unwrap_or_default();
    let written = written.split(['/', '?']).next().unwrap_or_default().to_ascii_lowercase();
    let host = host.to_string();
    !host.contains('*')
        && written.strip_prefix(&host).is_some_and(|port| port.is_empty() || port.starts_with(':'))
}

impl<'a> Loopback<'a> {
    /// Only the three exact spellings of this machine count, never what a parser would make of
    /// `127.1` or `0x7f.1`.
    fn parse(text: &'a str) -> Option<Self> {
        let after = text.strip_prefix("http://")?;
        let end = after.find(['/', '?']).unwrap_or(after.len());
        let (authority, rest) = after.split_at_checked(end)?;
        let (host, port) = ["localhost", "127.0.0.1", "[::1]"]
            .into_iter()
            .find_map(|host| authority.strip_prefix(host).map(|port| (host, port)))?;
        let legal = match port.strip_prefix(':') {
            Some(digits) => {
                digits.bytes().all(|b| b.is_ascii_digit())
                    && digits.parse::<u16>().is_ok_and(|port| port > 0)
            }
            None => port.is_empty(),
        };
        let plain = !rest.contains("/..") && !rest.contains("/./");
        (legal && plain).then_some(Self { host, rest })
    }
}

/// A place that a verified client may be answered at. There is one way to get one, so nothing is
/// ever sent to a place that the client did not register.
#[derive(Clone, Debug)]
pub struct RedirectTarget {
    uri: String,
    state: Option<String>,
    issuer: String,
}

impl RedirectTarget {
    /// Finds the registered URI that the request means. It may be left out by a client that has
    /// registered only one (RFC 6749 §3.1.2.3).
    pub fn verify(
        client: &Client,
        requested: Option<&str>,
        state: Option<&str>,
        issuer: &str,
    ) -> Result<Self, OAuthError> {
        let uri = match (requested, client.redirect_uris.as_slice()) {
            (None, [only]) => only.as_str(),
            (None, _) => {
                return Err(OAuthError::invalid_request(
                    "redirect_uri_missing",
                    "The parameter redirect_uri is missing.",
                ));
            }
            (Some(uri), known) if known.iter().any(|one| one.matches(uri)) => uri,
            (Some(_), _) => {
                return Err(OAuthError::invalid_request(
                    "redirect_uri_unregistered",
                    "The redirect_uri is not one that the client has registered.",
                ));
            }
        };
        let state = state.map(Into::into);
        Ok(Self { uri: uri.into(), state, issuer: issuer.into() })
    }

    /// The URI of the request.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Host and port, or the scheme of a private-use URI: what people are shown.
    pub fn shown_host(&self) -> String {
        match Url::parse(&self.uri) {
            Ok(url) => match (url.host_str(), url.port()) {
                (Some(host), Some(port)) if url.scheme().starts_with("http") => {
                    format!("{host}:{port}")
                }
                (Some(host), _) if url.scheme().starts_with("http") => host.to_owned(),
                _ => format!("{}:", url.scheme()),
            },
            Err(_) => String::new(),
        }
    }

    /// Whether the answer stays on the person's machine.
    pub fn is_loopback(&self) -> bool {
        Loopback::parse(&self.uri).is_some()
    }

    /// The URI with an authorization code (RFC 6749 §4.1.2, RFC 9207 §2).
    pub fn with_code(&self, code: &str) -> String {
        self.with(&[("code", code)])
    }

    /// The URI with a refusal (RFC 6749 §4.1.2.1, RFC 9207 §2).
    pub fn with_error(&self, error: &OAuthError) -> String {
        self.with(&[("error", error.code.as_str()), ("error_description", &error.description)])
    }

    fn with(&self, answer: &[(&str, &str)]) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(answer);
        if let Some(state) = &self.state {
            query.append_pair("state", state);
        }
        query.append_pair("iss", &self.issuer);
        let separator = if self.uri.contains('?') { '&' } else { '?' };
        format!("{}{separator}{}", self.uri, query.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registers(text: &str) -> bool {
        RedirectUri::parse(text).is_ok()
    }

    #[test]
    fn https_loopback_and_private_use_schemes_may_be_registered() {
        for text in [
            "https://app.test/cb",
            "https://app.test:444/cb?x=1",
            "http://localhost/callback",
            "http://127.0.0.1:33418/",
            "http://[::1]/cb",
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "com.example.app:/cb",
        ] {
            assert!(registers(text), "{text}");
        }
    }

    #[test]
    fn nothing_else_may_be_registered() {
        for text in [
            "",
            "/cb",
            "//evil.test/cb",
            "https://",
            "https://[::1",
            "https://app.test/cb#f",
            "http://app.test/cb",
            "https://*.app.test/cb",
            "https://app.test@evil.test/cb",
            "https://evil.test\\@app.test/cb",
            "javascript:alert(1)//https://app.test/cb",
            "JaVaScRiPt:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "blob:https://x",
            "view-source:https://app.test/cb",
            "intent://x#Intent;end",
            "http://127.1:1/cb",
            "http://2130706433:1/cb",
            "http://127.0.0.1:1@evil.test/cb",
            "foo:",
            "http://127.0.0.1.evil.test/cb",
            "http://127.0.0.1:99999/cb",
            "http://127.0.0.1:0/cb",
            "https://app.test/\u{e9}",
            "https://app%2etest/cb",
            "http://localhost/../x",
        ] {
            assert!(!registers(text), "{text}");
        }
        assert!(!registers(&format!("https://app.test/{}", "a".repeat(1024))));
    }

    #[test]
    fn on_loopback_the_port_may_be_any_and_all_else_is_exact() {
        let registered = RedirectUri::parse("http://127.0.0.1/callback").unwrap();
        assert!(registered.matches("http://127.0.0.1:51004/callback"));
        for text in [
            "http://localhost:51004/callback",
            "http://127.0.0.2:1/callback",
            "https://127.0.0.1:1/callback",
            "http://127.0.0.1:1/callback/",
            "http://127.0.0.1:1/CALLBACK",
            "http://127.0.0.1:1/callback?x=1",
            "http://127.0.0.1:+1/callback",
            "http://127.0.0.1:1/callback#f",
        ] {
            assert!(!registered.matches(text), "{text}");
        }
        assert!(
            !RedirectUri::parse("https://app.test/cb").unwrap().matches("https://app.test:444/cb")
        );
    }

    #[test]
    fn a_state_of_any_content_stays_one_parameter() {
        let target = RedirectTarget {
            uri: "http://localhost:1/cb?a=b".into(),
            state: Some("x&code=evil\r\nSet-Cookie: x=1".into()),
            issuer: "http://localhost:3000".into(),
        };
        assert_eq!(
            target.with_code("pcc_1"),
            "http://localhost:1/cb?a=b&code=pcc_1&state=x%26code%3Devil%0D%0ASet-Cookie%3A+x%3D1\
             &iss=http%3A%2F%2Flocalhost%3A3000"
        );
    }
}
