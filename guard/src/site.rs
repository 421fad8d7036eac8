//! By which names the server may be called, and from which pages (MCP, Streamable HTTP, security).
//!
//! A page of a stranger can have its own name resolve to this machine. What it then sends carries
//! that name as `Host` and its origin as `Origin`.

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
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

/// Refuses a request whose `Host` header or request line could be read in two ways, or that is
/// written as if for a proxy and not for this server. Who sends it does not matter.
pub(crate) async fn require_host(
    State(guard): State<Guard>,
    request: Request,
    next: Next,
) -> Response {
    let names = &guard.0.site.names;
    let Err(error) = names.check(request.version(), request.uri(), request.headers()) else {
        return next.run(request).await;
    };
    let (reason, description) = error.refusal();
    tracing::info!(reason, status = 400, "refused");
    let body = json!({"error": "invalid_request", "error_description": description});
    (StatusCode::BAD_REQUEST, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

impl Site {
    /// A server at `own` that is also called by `hosts`, from pages of `origins` too.
    pub(crate) fn new(own: Url, hosts: Vec<String>, origins: &[String]) -> Self {
        let origins = origins.iter().filter_map(|origin| normal_origin(origin)).collect();
        Self { names: HostNames::new(own.clone(), hosts), own, origins }
    }

    /// Refuses a request that is addressed to another name, or comes from another's page.
    pub(crate) fn check(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), Refusal> {
        // HTTP/2 names the host in the address instead.
        let host = headers.get(header::HOST).map(HeaderValue::to_str);
        let host = host.unwrap_or_else(|| Ok(uri.authority().map_or("", |name| name.as_str())));
        if !host.is_ok_and(|host| self.names.contains(host)) {
            return Err(Refusal::ForeignHost);
        }
        match headers.get(header::ORIGIN).is_none_or(|origin| self.allows_origin(origin)) {
            true => Ok(()),
            false => Err(Refusal::ForeignOrigin),
        }
    }

    /// Whether pages of this origin may call.
    pub(crate) fn allows_origin(&self, origin: &HeaderValue) -> bool {
        let Some(origin) = origin.to_str().ok().and_then(normal_origin) else {
            return false;
        };
        let is_local = || Url::parse(&origin).is_ok_and(|url| is_loopback(&url));
        origin == self.own.origin().ascii_serialization()
            || self.origins.contains(&origin)
            || is_loopback(&self.own) && is_local()
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
