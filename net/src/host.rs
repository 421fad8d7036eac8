//! The server that a request is addressed to (RFC 9112 §3.2).
//!
//! An HTTP/1.1 request names its server in exactly one `Host` header, and its request line may not
//! name a different one. If two components of a system read different names, attackers can exploit
//! the difference.

use std::{net::Ipv6Addr, num::NonZeroU16};

use http::{HeaderMap, Uri, Version, header::HOST};
use url::Url;

use crate::loopback::is_loopback;

/// What is wrong with the server name in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostError {
    /// There is no `Host` header, although this version of HTTP requires one.
    Missing,
    /// There are several `Host` headers.
    Doubled,
    /// The `Host` header is not one host name or address with an optional port.
    Malformed,
    /// The request line names another server than the `Host` header, or another than this one.
    Foreign,
}

impl HostError {
    /// A stable reason code for logs and metrics, and a sentence for the client.
    pub fn refusal(self) -> (&'static str, &'static str) {
        match self {
            Self::Missing => ("host_missing", "Send the Host header."),
            Self::Doubled => ("host_doubled", "Send the Host header once."),
            Self::Malformed => (
                "host_malformed",
                "The Host header must be one host name or address, with an optional port.",
            ),
            Self::Foreign => {
                ("host_foreign", "The request line names another server than this one.")
            }
        }
    }
}

/// The host names that a server answers to.
#[derive(Clone, Debug)]
pub struct HostNames {
    own: Url,
    others: Vec<String>,
}

impl HostNames {
    /// The names of a server whose public URL is `own` and that also answers to the host names
    /// `others`. If `own` is on loopback, all spellings of loopback are its names.
    pub fn new(own: Url, others: Vec<String>) -> Self {
        Self { own, others }
    }

    /// The origin of the server's pages, as browsers send it in `Origin`.
    pub fn origin(&self) -> String {
        self.own.origin().ascii_serialization()
    }

    /// Whether `host`, a value of the `Host` header, names this server. The port is ignored, because
    /// a proxy in front may listen on another one.
    pub fn contains(&self, host: &str) -> bool {
        if !is_host(host) {
            return false;
        }
        let Ok(url) = Url::parse(&format!("http://{host}/")) else {
            return false;
        };
        let name = url.host_str().unwrap_or_default();
        Some(name) == self.own.host_str()
            || self.others.iter().any(|other| other.eq_ignore_ascii_case(name))
            || is_loopback(&self.own) && is_loopback(&url)
    }

    /// Checks that a request names one server in one way.
    ///
    /// It need not be this server: health checks of a load balancer use its address. Routes that
    /// depend on the name check it with [`HostNames::contains`]. Only a request line in absolute
    /// form, as sent to a proxy, must name this server, because this server is not a proxy.
    ///
    /// # Errors
    /// [`HostError`], for which the request must be answered with 400.
    pub fn check(
        &self,
        version: Version,
        target: &Uri,
        headers: &HeaderMap,
    ) -> Result<(), HostError> {
        let mut hosts = headers.get_all(HOST).iter();
        let host = match (hosts.next(), hosts.next()) {
            (Some(host), None) => Some(host.to_str().map_err(|_| HostError::Malformed)?),
            (None, _) if version == Version::HTTP_11 => return Err(HostError::Missing),
            // HTTP/1.0 does not require the header; HTTP/2 has the name in the target.
            (None, _) => None,
            (Some(_), Some(_)) => return Err(HostError::Doubled),
        };
        if host.is_some_and(|host| !is_host(host)) {
            return Err(HostError::Malformed);
        }
        let Some(authority) = target.authority().filter(|_| version <= Version::HTTP_11) else {
            return Ok(());
        };
        let is_named = host.is_none_or(|host| host.eq_ignore_ascii_case(authority.as_str()));
        if is_named && self.contains(authority.as_str()) { Ok(()) } else { Err(HostError::Foreign) }
    }
}

/// Whether `text` is one host with an optional port. RFC 3986 also allows commas and percent-encoding
/// in names, but no server is called so, and they can hide a list or another spelling.
fn is_host(text: &str) -> bool {
    let (is_named, rest) = if let Some(text) = text.strip_prefix('[') {
        let Some((address, rest)) = text.split_once(']') else { return false };
        (address.parse::<Ipv6Addr>().is_ok(), rest)
    } else {
        let (name, rest) = text.split_at(text.find(':').unwrap_or(text.len()));
        (is_name(name), rest)
    };
    is_named && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
}

fn is_name(name: &str) -> bool {
    (1..=255).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
}

fn is_port(port: &str) -> bool {
    // `parse` alone would accept a leading plus sign.
    port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<NonZeroU16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(own: &str) -> HostNames {
        HostNames::new(Url::parse(own).unwrap(), vec!["internal".into()])
    }

    fn check(version: Version, target: &str, hosts: &[&'static str]) -> Result<(), HostError> {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, host.parse().unwrap());
        }
        names("http://localhost:3000").check(version, &target.parse().unwrap(), &headers)
    }

    fn check_host(host: &'static str) -> Result<(), HostError> {
        check(Version::HTTP_11, "/x", &[host])
    }

    #[test]
    fn a_request_names_one_host_with_an_optional_port() {
        for host in ["localhost", "a.test:1", "A-1.test.:65535", "10.0.0.1:80", "[::1]", "[::1]:3"]
        {
            assert_eq!(check_host(host), Ok(()), "{host}");
        }
        for host in [
            "",
            ":80",
            "a.test:",
            "a.test:0",
            "a.test:99999",
            "a.test:65536",
            "a.test:+80",
            "a.test:80:80",
            "a.test:8o",
            "a.test, b.test",
            "a.test,b.test",
            "a.test b.test",
            "user@a.test",
            "user:password@a.test",
            "@a.test",
            "http://a.test",
            "a.test/",
            "a.test?",
            "a.test#",
            "a%2etest",
            "[::1",
            "[::1]80",
            "[localhost]",
            "::1",
            "a.test\\",
        ] {
            assert_eq!(check_host(host), Err(HostError::Malformed), "{host}");
        }
    }

    #[test]
    fn an_http_1_1_request_has_one_host_header_and_an_older_one_may_have_none() {
        let (old, new) = (Version::HTTP_10, Version::HTTP_11);
        assert_eq!(check(new, "/x", &[]), Err(HostError::Missing));
        assert_eq!(check(old, "/x", &[]), Ok(()));
        for version in [old, new] {
            let doubled = Err(HostError::Doubled);
            assert_eq!(check(version, "/x", &["localhost", "localhost"]), doubled);
            assert_eq!(check(version, "/x", &["a, b"]), Err(HostError::Malformed));
        }
        assert_eq!(check(Version::HTTP_2, "https://a.test/x", &[]), Ok(()));
    }

    #[test]
    fn a_request_line_for_a_proxy_names_this_server_as_the_host_header_does() {
        let both = |target: &str, host| check(Version::HTTP_11, target, &[host]);
        assert_eq!(both("http://localhost:3000/x", "localhost:3000"), Ok(()));
        assert_eq!(both("http://LOCALHOST:3000/x", "localhost:3000"), Ok(()));
        assert_eq!(both("http://internal/x", "internal"), Ok(()));
        for (target, host) in [
            ("http://evil.test/x", "localhost:3000"),
            ("http://evil.test/x", "evil.test"),
            ("http://localhost:3000/x", "evil.test"),
            ("http://localhost:3000/x", "localhost"),
            ("http://user@localhost:3000/x", "localhost:3000"),
            ("evil.test:443", "evil.test:443"),
        ] {
            assert_eq!(both(target, host), Err(HostError::Foreign), "{target} {host}");
        }
        let old = |target: &str| check(Version::HTTP_10, target, &[]);
        assert_eq!(old("http://localhost/x"), Ok(()));
        assert_eq!(old("http://evil.test/x"), Err(HostError::Foreign));
    }

    #[test]
    fn a_public_server_has_its_own_name_and_those_that_it_was_given() {
        let names = names("https://mcp.test/mcp");
        for host in ["mcp.test", "MCP.test", "mcp.test:443", "mcp.test:8080", "internal:3001"] {
            assert!(names.contains(host), "{host}");
        }
        for host in [
            "evil.test",
            "mcp.test.evil.test",
            "localhost",
            "127.0.0.1",
            "mcp.test.",
            "",
            "mcp.test@evil.test",
            "evil.test/mcp.test",
            "mcp.test:x",
        ] {
            assert!(!names.contains(host), "{host}");
        }
    }

    #[test]
    fn on_loopback_each_spelling_of_this_machine_is_its_name() {
        let names = names("http://localhost:3001/mcp");
        for host in ["localhost:3001", "127.0.0.1:9", "[::1]:3001", "LOCALHOST"] {
            assert!(names.contains(host), "{host}");
        }
        for host in ["evil.test:3001", "localhost.evil.test", "10.0.0.1", "127.0.0.2"] {
            assert!(!names.contains(host), "{host}");
        }
    }
}
