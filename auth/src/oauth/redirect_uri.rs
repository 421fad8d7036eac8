//! Redirect URIs: which may be registered, and when a request's matches a registered one.

use url::{Host, Url};

use super::{
    error::{ErrorCode, OAuthError},
    loopback::LoopbackUri,
};

/// Longest redirect URI, in bytes.
const LONGEST: usize = 1024;

/// Schemes that a browser or a desktop acts on itself. A private-use scheme belongs to one program;
/// these belong to none (RFC 8252 §7.1), and neither does any of Windows, which begin with `ms-`.
const FORBIDDEN_SCHEMES: [&str; 28] = [
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
    "ldap",
    "ldaps",
    "mailto",
    "resource",
    "search-ms",
    "sftp",
    "smb",
    "sms",
    "ssh",
    "steam",
    "tel",
    "telnet",
    "vbscript",
    "view-source",
    "ws",
    "wss",
];

/// A redirect URI that may be registered: `https`, `http` on loopback, or a private-use scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectUri(String);

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
            "http" => LoopbackUri::parse(text).is_some(),
            scheme => is_private_use(scheme) && text.len() > scheme.len() + 1,
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
        match (LoopbackUri::parse(&self.0), LoopbackUri::parse(requested)) {
            (Some(one), Some(other)) => one.is_same_but_for_the_port(&other),
            _ => false,
        }
    }
}

fn is_private_use(scheme: &str) -> bool {
    !FORBIDDEN_SCHEMES.contains(&scheme) && !scheme.starts_with("ms-")
}

/// Rejects a host that only becomes one by the leniency of URL parsers, and wildcards.
fn is_plain_host(text: &str, host: &Host<&str>) -> bool {
    let written = text.get("https://".len()..).unwrap_or_default();
    let written = written.split(['/', '?']).next().unwrap_or_default().to_ascii_lowercase();
    let host = host.to_string();
    !host.contains('*')
        && written.strip_prefix(&host).is_some_and(|port| port.is_empty() || port.starts_with(':'))
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
            "smb://evil.test/share",
            "ssh://evil.test",
            "tel:+15550100",
            "steam://run/1",
            "ms-msdt:/id",
            "MS-Officecmd:x",
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
}
