//! By which names the server may be called, and from which pages (MCP, Streamable HTTP, security).
//!
//! A page of a stranger can have its own name resolve to this machine. What it then sends carries
//! that name as `Host` and its origin as `Origin`.

use axum::http::{HeaderMap, HeaderValue, Uri, header};
use url::Url;

use super::{error::BearerError, loopback::is_loopback};

/// The names of the server and the origins of its pages.
#[derive(Clone, Debug)]
pub(super) struct Site {
    own: Url,
    hosts: Vec<String>,
    origins: Vec<String>,
}

impl Site {
    /// A server at `own` that is also called by `hosts`, from pages of `origins` too.
    pub(super) fn new(own: Url, hosts: Vec<String>, origins: &[String]) -> Self {
        let origins = origins.iter().filter_map(|origin| normal_origin(origin)).collect();
        Self { own, hosts, origins }
    }

    /// Refuses a request that is addressed to another name, or comes from another's page.
    pub(super) fn check(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), BearerError> {
        // HTTP/2 names the host in the address instead.
        let host = headers.get(header::HOST).map(HeaderValue::to_str);
        let host = host.unwrap_or_else(|| Ok(uri.authority().map_or("", |name| name.as_str())));
        if !host.is_ok_and(|host| self.allows_host(host)) {
            return Err(BearerError::ForeignHost);
        }
        match headers.get(header::ORIGIN).is_none_or(|origin| self.allows_origin(origin)) {
            true => Ok(()),
            false => Err(BearerError::ForeignOrigin),
        }
    }

    /// Whether pages of this origin may call.
    pub(super) fn allows_origin(&self, origin: &HeaderValue) -> bool {
        let Some(origin) = origin.to_str().ok().and_then(normal_origin) else {
            return false;
        };
        let is_local = || Url::parse(&origin).is_ok_and(|url| is_loopback(&url));
        origin == self.own.origin().ascii_serialization()
            || self.origins.contains(&origin)
            || is_loopback(&self.own) && is_local()
    }

    /// The port does not count: a proxy may listen on another.
    fn allows_host(&self, host: &str) -> bool {
        let Ok(url) = Url::parse(&format!("http://{host}/")) else {
            return false;
        };
        // `user@name` and the like are no host.
        let is_bare = url.username().is_empty() && url.password().is_none() && url.path() == "/";
        let named = url.host_str().unwrap_or_default();
        is_bare
            && (Some(named) == self.own.host_str()
                || self.hosts.iter().any(|host| host.eq_ignore_ascii_case(named))
                || is_loopback(&self.own) && is_loopback(&url))
    }
}

/// An origin as a browser would write it; `None` for anything else, `null` above all.
fn normal_origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let origin = url.origin();
    let is_bare = url.path().trim_end_matches('/').is_empty()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty();
    (origin.is_tuple() && is_bare).then(|| origin.ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(own: &str) -> Site {
        let hosts = vec!["internal".into()];
        Site::new(Url::parse(own).unwrap(), hosts, &["https://app.test".into()])
    }

    #[test]
    fn a_public_server_answers_to_its_own_name_only() {
        let site = site("https://mcp.test/mcp");
        for host in ["mcp.test", "MCP.test", "mcp.test:443", "mcp.test:8080", "internal:3001"] {
            assert!(site.allows_host(host), "{host}");
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
            assert!(!site.allows_host(host), "{host}");
        }
    }

    #[test]
    fn on_loopback_each_spelling_of_this_machine_is_its_name() {
        let site = site("http://localhost:3001/mcp");
        for host in ["localhost:3001", "127.0.0.1:9", "[::1]:3001", "LOCALHOST"] {
            assert!(site.allows_host(host), "{host}");
        }
        for host in ["evil.test:3001", "localhost.evil.test", "10.0.0.1", "127.0.0.2"] {
            assert!(!site.allows_host(host), "{host}");
        }
    }

    #[test]
    fn only_known_pages_may_call() {
        let allows = |own: &str, origin: &'static str| {
            site(own).allows_origin(&HeaderValue::from_static(origin))
        };
        let public = "https://mcp.test/mcp";
        for origin in ["https://mcp.test", "https://MCP.test:443", "https://app.test"] {
            assert!(allows(public, origin), "{origin}");
        }
        for origin in [
            "https://evil.test",
            "null",
            "http://mcp.test",
            "https://mcp.test:444",
            "https://mcp.test.evil.test",
            "http://localhost:6274",
            "https://app.test/x",
            "",
        ] {
            assert!(!allows(public, origin), "{origin}");
        }
        let local = "http://localhost:3001/mcp";
        assert!(allows(local, "http://127.0.0.1:6274"));
        assert!(!allows(local, "http://localhost.evil.test"));
    }
}
