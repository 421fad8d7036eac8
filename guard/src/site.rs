//! Checks that a request is meant for this server and does not come from a stranger's page (MCP,
//! Streamable HTTP, security).
//!
//! A page can have its own name resolve to this machine (DNS rebinding). Its requests then carry
//! that name as `Host` and its origin as `Origin`.

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use net::host::HostNames;
use serde_json::json;
use url::Url;

use crate::{Guard, loopback::is_loopback, refusal::Refusal};

/// The names of the server and the origins of its pages.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    own: Url,
    names: HostNames,
    origins: Vec<String>,
}

/// Refuses ambiguous requests, see [`Site::refuse_ambiguous`].
pub(crate) async fn require_host(
    State(guard): State<Guard>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    match guard.0.site.refuse_ambiguous(&parts) {
        Some(refused) => refused,
        None => next.run(Request::from_parts(parts, body)).await,
    }
}

impl Site {
    /// A server at `own` with further host names, which also accepts pages of `origins`.
    pub(crate) fn new(own: Url, hosts: Vec<String>, origins: &[String]) -> Self {
        let origins = origins.iter().filter_map(|origin| normalize_origin(origin)).collect();
        Self { names: HostNames::new(own.clone(), hosts), own, origins }
    }

    /// Refuses a request whose `Host` header or request line can be read in two ways, or names
    /// another server as if this one were a proxy.
    pub(crate) fn refuse_ambiguous(&self, parts: &Parts) -> Option<Response> {
        let error = self.names.check(parts.version, &parts.uri, &parts.headers).err()?;
        let (reason, description) = error.refusal();
        tracing::info!(reason, status = 400, "refused");
        let body = json!({"error": "invalid_request", "error_description": description});
        let headers = [(header::CACHE_CONTROL, "no-store")];
        Some((StatusCode::BAD_REQUEST, headers, Json(body)).into_response())
    }

    /// Refuses a request that names another host, or comes from a page of another origin.
    pub(crate) fn check(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), Refusal> {
        // HTTP/2 has the host in the URI instead.
        let host = headers.get(header::HOST).map(HeaderValue::to_str);
        let host = host.unwrap_or_else(|| Ok(uri.authority().map_or("", |name| name.as_str())));
        if !host.is_ok_and(|host| self.names.contains(host)) {
            return Err(Refusal::ForeignHost);
        }
        if headers.get(header::ORIGIN).is_some_and(|origin| !self.allows_origin(origin)) {
            return Err(Refusal::ForeignOrigin);
        }
        Ok(())
    }

    /// Whether pages of this origin may call the server.
    pub(crate) fn allows_origin(&self, origin: &HeaderValue) -> bool {
        let Some(origin) = origin.to_str().ok().and_then(normalize_origin) else {
            return false;
        };
        origin == self.own.origin().ascii_serialization()
            || self.origins.contains(&origin)
            || is_loopback(&self.own) && Url::parse(&origin).is_ok_and(|url| is_loopback(&url))
    }
}

/// An origin as a browser writes it. `None` for anything else, in particular for `null`.
fn normalize_origin(text: &str) -> Option<String> {
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
