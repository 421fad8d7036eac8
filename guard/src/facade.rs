//! The facade for clients of 2025-03-26 (MCP 2025-03-26, authorization §2.3).
//!
//! They do not know protected resource metadata and look for the authorization server at the MCP
//! server's own origin. The facade serves its metadata there, with four endpoints that forward
//! everything. It keeps no state and does not look at client secrets, which the authorization server
//! checks. Newer clients are never sent here.

use std::time::Duration;

use axum::{
    Json, Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode, Uri,
        header::{
            ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, LOCATION, PRAGMA, RETRY_AFTER,
            VARY, WWW_AUTHENTICATE,
        },
    },
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use serde_json::json;
use tokio::time::timeout;
use tower_http::{
    cors::{Any, CorsLayer},
    limit::RequestBodyLimitLayer,
};
use url::form_urlencoded;

use crate::{
    Guard,
    authorization_server::{AuthorizationServer, FetchError, Metadata},
};

/// Maximum length of a request body, in bytes.
const MAX_REQUEST: usize = 64 * 1024;
/// Time limit for receiving a request body.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Maximum length of a response body, in bytes.
const MAX_RESPONSE: usize = 1 << 20;
/// Time limit for a whole response of the authorization server.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);
/// Headers that are forwarded to the authorization server. It needs these to read the request and to
/// authenticate the client. Cookies and addresses that the sender claims are not forwarded.
const REQUEST_HEADERS: [axum::http::HeaderName; 3] = [ACCEPT, AUTHORIZATION, CONTENT_TYPE];
/// Headers that are forwarded to the client.
const RESPONSE_HEADERS: [axum::http::HeaderName; 5] =
    [CACHE_CONTROL, CONTENT_TYPE, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE];

/// The metadata for old clients. The issuer is the real one, as authorization responses name it.
#[derive(Serialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation_endpoint: Option<String>,
    response_types_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 2],
    token_endpoint_auth_methods_supported: [&'static str; 3],
    code_challenge_methods_supported: [&'static str; 1],
}

pub(crate) fn router() -> Router<Guard> {
    Router::new()
        .route("/.well-known/oauth-authorization-server", get(metadata))
        .route("/authorize", get(authorize))
        .route("/token", post(token))
        .route("/register", post(register))
        .route("/revoke", post(revoke))
        .layer(RequestBodyLimitLayer::new(MAX_REQUEST))
        .layer(CorsLayer::new().allow_origin(Any).allow_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            ACCEPT,
            axum::http::HeaderName::from_static("mcp-protocol-version"),
        ]))
}

async fn metadata(State(guard): State<Guard>, headers: HeaderMap) -> Response {
    let server = guard.authorization_server();
    let metadata = match server.metadata().await {
        Ok(metadata) => metadata,
        Err(error) => return unavailable(server, &error),
    };
    let origin = &guard.0.resource.as_called(&headers).origin;
    let at = |path: &str| format!("{origin}{path}");
    let document = Document {
        issuer: server.issuer.clone(),
        authorization_endpoint: at("/authorize"),
        token_endpoint: at("/token"),
        // The client must not try what the authorization server does not have.
        registration_endpoint: metadata.registration_endpoint.as_ref().map(|_| at("/register")),
        revocation_endpoint: metadata.revocation_endpoint.as_ref().map(|_| at("/revoke")),
        response_types_supported: ["code"],
        grant_types_supported: ["authorization_code", "refresh_token"],
        token_endpoint_auth_methods_supported: [
            "none",
            "client_secret_basic",
            "client_secret_post",
        ],
        code_challenge_methods_supported: ["S256"],
    };
    let caching = [(CACHE_CONTROL, "public, max-age=300"), (VARY, "host")];
    (caching, Json(document)).into_response()
}

/// Redirects the browser to the authorization server. Old clients name no resource, so the facade
/// adds its own. Otherwise the token would have no audience, or be for another server.
async fn authorize(State(guard): State<Guard>, uri: Uri) -> Response {
    let server = guard.authorization_server();
    let query = uri.query().unwrap_or_default();
    let Some(resource) = resource_to_add(query, &guard.0.resource.audiences()) else {
        let description = "This server forwards requests for its own resource only.";
        return refusal(StatusCode::BAD_REQUEST, "invalid_target", description);
    };
    let metadata = match server.metadata().await {
        Ok(metadata) => metadata,
        Err(error) => return unavailable(server, &error),
    };
    let Some(endpoint) = &metadata.authorization_endpoint else {
        let description = "The authorization server has no authorization endpoint.";
        return refusal(StatusCode::NOT_FOUND, "invalid_request", description);
    };
    let glue = if endpoint.contains('?') { '&' } else { '?' };
    match HeaderValue::try_from(format!("{endpoint}{glue}{query}{resource}")) {
        Ok(location) => {
            let headers =
                [(LOCATION, location), (CACHE_CONTROL, HeaderValue::from_static("no-store"))];
            (StatusCode::FOUND, headers).into_response()
        }
        Err(_) => refusal(StatusCode::BAD_REQUEST, "invalid_request", "The query is not readable."),
    }
}

/// What to append to the query. `None` if it names another resource, or several.
fn resource_to_add(query: &str, own: &[String]) -> Option<String> {
    let mut named = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "resource");
    match (named.next(), named.next()) {
        (None, _) => {
            let first = own.first()?;
            let encoded: String = form_urlencoded::byte_serialize(first.as_bytes()).collect();
            let glue = if query.is_empty() { "" } else { "&" };
            Some(format!("{glue}resource={encoded}"))
        }
        (Some((_, one)), None) if own.iter().any(|known| *known == one) => Some(String::new()),
        _ => None,
    }
}

async fn token(State(guard): State<Guard>, request: Request) -> Response {
    forward(&guard, request, |metadata| metadata.token_endpoint.as_ref()).await
}

async fn register(State(guard): State<Guard>, request: Request) -> Response {
    forward(&guard, request, |metadata| metadata.registration_endpoint.as_ref()).await
}

async fn revoke(State(guard): State<Guard>, request: Request) -> Response {
    forward(&guard, request, |metadata| metadata.revocation_endpoint.as_ref()).await
}

/// Forwards the request to the endpoint in the metadata. It is sent once, because a retry could
/// redeem a code twice.
async fn forward(
    guard: &Guard,
    request: Request,
    endpoint: impl FnOnce(&Metadata) -> Option<&String>,
) -> Response {
    let server = guard.authorization_server();
    let (parts, body) = request.into_parts();
    let metadata = match server.metadata().await {
        Ok(metadata) => metadata,
        Err(error) => return unavailable(server, &error),
    };
    let Some(endpoint) = endpoint(&metadata) else {
        let description = "The authorization server has no such endpoint.";
        return refusal(StatusCode::NOT_FOUND, "invalid_request", description);
    };
    let body = match read_request(body).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let response = server
        .http
        .post(endpoint)
        .headers(filter_headers(&parts.headers, &REQUEST_HEADERS))
        .body(body)
        .timeout(RESPONSE_TIMEOUT)
        .send()
        .await;
    match response {
        Ok(response) if is_usable(&response) => relay(response),
        Ok(response) => {
            let status = response.status().as_u16();
            unavailable(server, &FetchError::Status { url: response.url().clone(), status })
        }
        Err(error) => unavailable(server, &FetchError::Unreachable(error)),
    }
}

/// Reads the body of a request before the authorization server is called, so that a sender who breaks
/// off or is slow does not look like an authorization server that is down.
async fn read_request(body: Body) -> Result<Bytes, Response> {
    let (status, description) = match timeout(REQUEST_TIMEOUT, to_bytes(body, MAX_REQUEST)).await {
        Ok(Ok(bytes)) => return Ok(bytes),
        Ok(Err(_)) => {
            (StatusCode::BAD_REQUEST, "The request body is too long, or did not arrive as a whole.")
        }
        Err(_) => (StatusCode::REQUEST_TIMEOUT, "The request body did not arrive in time."),
    };
    Err(refusal(status, "invalid_request", description))
}

/// Whether a response is for clients: JSON or empty, and neither a redirect nor a server error.
fn is_usable(response: &reqwest::Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_json = kind.is_none_or(|kind| kind.starts_with(b"application/json"));
    is_json && !response.status().is_server_error() && !response.status().is_redirection()
}

fn relay(response: reqwest::Response) -> Response {
    let headers = filter_headers(response.headers(), &RESPONSE_HEADERS);
    let status = response.status();
    let mut left = MAX_RESPONSE;
    let body = response.bytes_stream().map_err(std::io::Error::other).map(move |chunk| {
        let chunk = chunk?;
        left = left
            .checked_sub(chunk.len())
            .ok_or_else(|| std::io::Error::other("the response is too large"))?;
        Ok::<_, std::io::Error>(chunk)
    });
    (status, headers, Body::from_stream(body)).into_response()
}

fn filter_headers(headers: &HeaderMap, allowed: &[axum::http::HeaderName]) -> HeaderMap {
    let present =
        allowed.iter().filter_map(|name| Some((name.clone(), headers.get(name)?.clone())));
    present.collect()
}

fn unavailable(server: &AuthorizationServer, error: &FetchError) -> Response {
    server.forget();
    tracing::warn!(reason = "facade_unavailable", cause = %error, "cannot forward a request");
    let description = "The authorization server does not answer. Try again in a moment.";
    let mut response =
        refusal(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", description);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

fn refusal(status: StatusCode, error: &str, description: &str) -> Response {
    let body = json!({"error": error, "error_description": description});
    (status, [(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_resource_is_named_and_another_is_refused() {
        let own = ["http://localhost:3001/mcp".to_owned(), "http://127.0.0.1:3001/mcp".to_owned()];
        let added = "resource=http%3A%2F%2Flocalhost%3A3001%2Fmcp";
        assert_eq!(resource_to_add("", &own), Some(added.into()));
        assert_eq!(resource_to_add("a=b", &own), Some(format!("&{added}")));
        assert_eq!(resource_to_add(added, &own), Some(String::new()));
        assert_eq!(
            resource_to_add("resource=http://127.0.0.1:3001/mcp", &own),
            Some(String::new())
        );
        assert_eq!(resource_to_add("resource=https://other.test", &own), None);
        assert_eq!(resource_to_add("resource=", &own), None);
        assert_eq!(resource_to_add(&format!("{added}&{added}"), &own), None);
    }
}
