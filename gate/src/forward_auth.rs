//! `/forward-auth`: answers a proxy that asks whether a request may pass.
//!
//! The proxy sends the head of the request, and passes the request on itself if the answer is 200. So the
//! gate sees neither the message nor its answer: it checks the token, its scopes and where the request
//! comes from, and says who calls.

mod original;

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request},
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
    routing::any,
};
use guard::{Caller, Guard, Stopping};
use serde_json::json;
use tower::{Layer, ServiceExt, service_fn};

use self::original::OriginalRequest;
use crate::{
    config::{Config, network::Network, proxy::Proxy},
    identity::Identity,
};

/// Where the proxy asks.
pub(crate) const PATH: &str = "/forward-auth";
/// The body of a refusal. nginx drops the body itself.
const REFUSAL: HeaderName = HeaderName::from_static("x-portcullis-refusal");
/// Longest body of a refusal, in bytes.
const MAX_REFUSAL: usize = 4096;

/// Answers one kind of proxy. Cheap to clone.
#[derive(Clone, Debug)]
struct ForwardAuth {
    proxy: Proxy,
    trusted: Arc<[Network]>,
    resource_path: Arc<str>,
    guard: Guard,
    identity: Identity,
}

/// The route of `proxy`. What it answers is about requests below the path of the resource.
pub(crate) fn router(proxy: Proxy, config: &Config, guard: Guard, identity: Identity) -> Router {
    let path = url::Url::parse(&config.resource).map(|url| url.path().to_owned());
    let forward_auth = ForwardAuth {
        proxy,
        trusted: config.proxy.forward_auth_from.clone().into(),
        resource_path: path.unwrap_or_default().into(),
        guard,
        identity,
    };
    // Proxies ask by GET, whatever the method of the request is.
    Router::new().route(PATH, any(move |request| async move { forward_auth.judge(request).await }))
}

impl ForwardAuth {
    async fn judge(&self, request: Request) -> Response {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map(|ConnectInfo(address)| address.ip());
        if !peer.is_some_and(|peer| self.trusted.iter().any(|network| network.contains(peer))) {
            let peer = peer.map(|peer| peer.to_string());
            tracing::warn!(reason = "proxy_untrusted", peer, "refused");
            let advice = "The gate does not answer this address. Its operator can add it to \
                          GATE_FORWARD_AUTH_FROM.";
            return refusal("access_denied", advice);
        }
        let stopping = request.extensions().get::<Stopping>().cloned();
        let answer = match OriginalRequest::read(self.proxy, request.headers()) {
            Ok(original) if original.is_below(&self.resource_path) => {
                let mut original = original.into_request(request.headers());
                if let Some(stopping) = stopping {
                    original.extensions_mut().insert(stopping);
                }
                self.check(original).await
            }
            Ok(_) => {
                tracing::info!(reason = "path_foreign", "refused");
                let advice = "The proxy asks about a path outside of the resource. Its operator \
                              must ask only below the path of GATE_RESOURCE.";
                refusal("access_denied", advice)
            }
            Err(why) => {
                tracing::warn!(reason = "original_unknown", why, "refused");
                refusal("invalid_request", why)
            }
        };
        if self.proxy == Proxy::Nginx { for_nginx(answer).await } else { answer }
    }

    /// Answers 200 with who calls, or what the guard says.
    async fn check(&self, original: Request) -> Response {
        let identity = self.identity.clone();
        let allowed = service_fn(move |request: Request| {
            let identity = identity.clone();
            async move { Ok::<_, Infallible>(allow(&identity, &request)) }
        });
        let guarded = self.guard.layer().layer(allowed);
        let Ok(mut response) = guarded.oneshot(original).await;
        join_challenges(&mut response);
        response
    }
}

/// Tells the proxy who calls.
fn allow(identity: &Identity, request: &Request) -> Response {
    let mut response = (StatusCode::OK, [(CACHE_CONTROL, "no-store")]).into_response();
    let told = request
        .extensions()
        .get::<Caller>()
        .map(|caller| identity.tell(caller, response.headers_mut()));
    match told {
        Some(Ok(())) => {
            Identity::complete(response.headers_mut());
            response
        }
        Some(Err(error)) => {
            tracing::error!(%error, "an identity cannot be signed");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A refusal of the proxy's question itself, which no other token would change.
fn refusal(error: &str, description: &str) -> Response {
    let body = json!({"error": error, "error_description": description});
    (StatusCode::FORBIDDEN, [(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// Writes the challenges into one header (RFC 9110 §11.6.1), because nginx before 1.23 hands on the
/// first header only.
fn join_challenges(response: &mut Response) {
    let headers = response.headers_mut();
    let all: Vec<&[u8]> =
        headers.get_all(WWW_AUTHENTICATE).iter().map(HeaderValue::as_bytes).collect();
    if let Ok(one) = HeaderValue::from_bytes(&all.join(&b", "[..]))
        && all.len() > 1
    {
        headers.insert(WWW_AUTHENTICATE, one);
    }
}

/// An answer as nginx can use it: `auth_request` knows 401 and 403 only and drops the body, so the body
/// goes into a header too. Where the guard cannot tell, its 429 or 503 becomes a 500 of nginx.
async fn for_nginx(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    if parts.status.is_client_error() && parts.status != StatusCode::TOO_MANY_REQUESTS {
        let has_challenge = parts.headers.contains_key(WWW_AUTHENTICATE);
        parts.status = match parts.status {
            StatusCode::UNAUTHORIZED => StatusCode::UNAUTHORIZED,
            StatusCode::BAD_REQUEST if has_challenge => StatusCode::UNAUTHORIZED,
            _ => StatusCode::FORBIDDEN,
        };
    }
    let body = to_bytes(body, MAX_REFUSAL).await.unwrap_or_default();
    if !parts.status.is_success()
        && let Ok(value) = HeaderValue::from_bytes(&body)
    {
        parts.headers.insert(REFUSAL, value);
    }
    Response::from_parts(parts, Body::from(body))
}
