//! Two servers on one port: the gate has its resource and what belongs to it, auth has the rest.

use std::convert::Infallible;

use axum::{Router, extract::Request, response::Response};
use tower::{ServiceExt, service_fn};

/// Paths of the gate besides that of its resource.
const OF_GATE: [&str; 2] =
    ["/.well-known/oauth-protected-resource", "/.well-known/portcullis-identity/"];

/// A router that hands requests for the resource at `path` to `gate` and all others to `auth`.
pub(crate) fn one_port(auth: Router, gate: Router, path: &'static str) -> Router {
    let service = service_fn(move |request: Request| {
        let router = if is_of_gate(request.uri().path(), path) { &gate } else { &auth };
        let router = router.clone();
        async move { answer(router, request).await }
    });
    Router::new().fallback_service(service)
}

async fn answer(router: Router, request: Request) -> Result<Response, Infallible> {
    router.oneshot(request).await
}

fn is_of_gate(asked: &str, path: &str) -> bool {
    let is_resource = asked.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest == "/");
    is_resource || OF_GATE.iter().any(|beginning| asked.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gate_has_its_resource_and_auth_the_rest() {
        for path in [
            "/mcp",
            "/mcp/",
            "/.well-known/oauth-protected-resource",
            "/.well-known/oauth-protected-resource/mcp",
            "/.well-known/portcullis-identity/jwks.json",
        ] {
            assert!(is_of_gate(path, "/mcp"), "{path}");
        }
        for path in
            ["/", "/mcpx", "/mcp/x", "/token", "/.well-known/oauth-authorization-server/mcp"]
        {
            assert!(!is_of_gate(path, "/mcp"), "{path}");
        }
    }
}
