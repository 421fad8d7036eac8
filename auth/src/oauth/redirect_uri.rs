//! Redirect URIs: which may be registered, and when a request's matches a registered one.

use serde::Serialize;
use url::{Host, Url};

use super::{
    error::{ErrorCode, OAuthError},
    loopback::LoopbackUri,
};

/// Longest redirect URI, in bytes.
const MAX_LENGTH: usize = 1024;

/// Schemes without a dot of programs that speak MCP. Any other private-use scheme must be the
/// reverse of a domain name (RFC 8252 §7.1): a short one may be one that a browser or the system acts
/// on, and nobody can list all of those.
const KNOWN_SCHEMES: [&str; 22] = [
    "antigravity",
    "cherrystudio",
    "claude",
    "code-oss",
    "codex",
    "cursor",
    "goose",
    "insomnia",
    "jetbrains",
    "kiro",
    "lmstudio",
    "opencode",
    "positron",
    "postman",
    "raycast",
    "trae",
    "vscode",
    "vscode-insiders",
    "vscodium",
    "warp",
    "windsurf",
    "zed",
];

/// Beginnings of schemes that have a dot and that a system acts on itself.
const SYSTEM_PREFIXES: [&str; 6] =
    ["com.apple.", "com.microsoft.", "microsoft.", "ms-", "windows.", "x-apple."];

/// Parameters of an authorization response (RFC 6749 §4.1.2, RFC 9207 §2, OpenID Connect Session
/// Management §2, JARM §2.3, and those of the implicit flow), and of the answer to a sign-out. A
/// client that finds two of a name may read the one that is not ours.
const RESPONSE_PARAMETERS: [&str; 12] = [
    "access_token",
    "code",
    "error",
    "error_description",
    "error_uri",
    "expires_in",
    "id_token",
    "iss",
    "response",
    "session_state",
    "state",
    "token_type",
];

/// A redirect URI that may be registered: `https`, `http` on loopback, or a private-use scheme.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct RedirectUri(String);

impl RedirectUri {
    /// Judges a URI for registration (RFC 8252 §7, RFC 6749 §3.1.2).
    pub(crate) fn parse(text: &str) -> Result<Self, OAuthError> {
        let refused = |why: &str| {
            ErrorCode::InvalidRedirectUri.error(
                "redirect_uri_not_allowed",
                format!(
                    "A redirect URI {why}. Use https, http on localhost, 127.0.0.1 or [::1], \
                     or a private-use scheme with a dot, such as com.example.app."
                ),
            )
        };
        if text.len() > MAX_LENGTH {
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
        if let Some(name) = parameter_names(text).find(|name| is_of_a_response(name)) {
            return Err(ErrorCode::InvalidRedirectUri.error(
                "redirect_uri_parameter",
                format!(
                    "A redirect URI has the parameter {name:?}, which belongs to the answer. Leave \
                     it out."
                ),
            ));
        }
        let allowed = match url.scheme() {
            "https" => matches!(url.host(), Some(host) if is_plain_host(text, &host)),
            "http" => LoopbackUri::parse(text).is_some(),
            scheme => is_private_use(scheme) && text.len() > scheme.len() + 1,
        };
        if allowed {
            Ok(Self(text.into()))
        } else {
            Err(refused("points to a place that is not allowed"))
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether only a program on the person's device can answer there: loopback, or a private-use
    /// scheme.
    pub(crate) fn is_native(&self) -> bool {
        !self.0.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"))
    }

    /// Whether only a program on the person's own machine can answer there, whichever one that is.
    pub(crate) fn is_loopback(&self) -> bool {
        LoopbackUri::parse(&self.0).is_some()
    }

    /// Whether a request's URI is this one: byte for byte, except that on loopback the port may
    /// be any, because the program learns it only when it binds (RFC 8252 §7.3).
    pub(crate) fn matches(&self, requested: &str) -> bool {
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
    KNOWN_SCHEMES.contains(&scheme) || is_reverse_domain(scheme)
}

fn is_reverse_domain(scheme: &str) -> bool {
    scheme.contains('.')
        && scheme.split('.').all(|label| !label.is_empty())
        && !SYSTEM_PREFIXES.iter().any(|prefix| scheme.starts_with(prefix))
}

fn is_of_a_response(name: &str) -> bool {
    RESPONSE_PARAMETERS.contains(&name)
}

/// The names in the query of a URI, as the most lenient reader takes them: separated by `&` or `;`,
/// decoded, without case, surrounding blanks and the brackets of an array.
fn parameter_names(uri: &str) -> impl Iterator<Item = String> {
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    query.split(['&', ';', '?']).filter_map(|pair| {
        let (name, _) = url::form_urlencoded::parse(pair.as_bytes()).next()?;
        let name = name.split(['[', '\0']).next().unwrap_or_default();
        Some(name.trim().to_ascii_lowercase())
    })
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
            "com.example.app:/cb?tenant=1",
            "vscode-insiders://vscode.github-authentication/did-authenticate",
            "CURSOR://anysphere.cursor-mcp/oauth/callback",
            "https://app.test/cb?stateful=1&codes=2&x=code",
            "https://app.test/code/state?x=1",
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
            "myapp://callback",
            "microsoft-edge:https://evil.test",
            "shell:startup",
            "search:query",
            "itms-services://?action=download-manifest",
            "vnc://evil.test",
            "git+ssh://evil.test",
            "x-apple.systempreferences:root",
            "microsoft.windows.camera:",
            "com.apple.tv:/x",
            "ms-settings.x:/y",
            "web+x:/cb",
            "a.:/cb",
            "a..b:/cb",
            "com.example.app:",
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
    fn no_parameter_of_the_answer_may_be_registered_however_it_is_written() {
        let query = |query: &str| {
            let refused = RedirectUri::parse(&format!("https://app.test/cb?{query}"));
            refused.err().map(|error| error.reason)
        };
        for name in RESPONSE_PARAMETERS {
            assert_eq!(query(&format!("{name}=x")), Some("redirect_uri_parameter"), "{name}");
        }
        for text in [
            "a=b&code=x",
            "a=b;code=x",
            "a=b?code=x",
            "code",
            "c%6Fde=x",
            "%63%6f%64%65",
            "CODE=x",
            "state[]=x",
            "state%5B0%5D=x",
            "+iss=x",
            "%20error+=x",
            "code%00=x",
        ] {
            assert_eq!(query(text), Some("redirect_uri_parameter"), "{text}");
        }
        for uri in ["http://localhost/cb?state=x", "com.example.app:/cb?iss=x", "cursor:x?code=1"] {
            assert!(!registers(uri), "{uri}");
        }
        assert_eq!(query("resource=x&client_id=y"), None);
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
