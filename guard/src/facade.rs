//! The facade for clients of 2025-03-26 (MCP 2025-03-26, authorization §2.3).
//!
//! They know no protected resource metadata: they look for the authorization server at the MCP
//! server's own origin. So its metadata stands here too, with four endpoints that hand everything
//! on. There is no state, and a client's secret is neither known nor looked at: the authorization
//! server alone judges it. Newer clients are never sent here.

use std::time::Duration;

use axum::{
    Json, Router,
    body::Body,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode, Uri,
        header::{
            ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, PRAGMA,
            RETRY_AFTER, VARY, WWW_AUTHENTICATE,
        },
    },
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use serde_json::json;
use tower_http::{
    cors::{Any, CorsLayer},
    limit::RequestBodyLimitLayer,
};
use url::form_urlencoded;

use crate::{
    Guard,
    authorization_server::{AuthorizationServer, FetchError, Metadata},
};

/// Largest request, in bytes.
const LARGEST_REQUEST: usize = 64 * 1024;
/// Largest answer, in bytes.
const LARGEST_ANSWER: usize = 1 << 20;
/// How long the authorization server may take for a whole answer.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// What crosses towards the authorization server: what it needs to read the request and to know
/// the client. No cookie, no address that the sender claims to have.
const REQUEST_HEADERS: [axum::http::HeaderName; 4] =
    [ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE];
/// What crosses back.
const ANSWER_HEADERS: [axum::http::HeaderName; 5] =
    [CACHE_CONTROL, CONTENT_TYPE, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE];

/// The metadata, as old clients need it. The issuer is the one that answers and tokens name.
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

/// The routes.
pub(crate) fn router() -> Router<Guard> {
    Router::new()
        .route("/.well-known/oauth-authorization-server", get(metadata))
        .route("/authorize", get(authorize))
        .route("/token", post(token))
        .route("/register", post(register))
        .route("/revoke", post(revoke))
        .layer(RequestBodyLimitLayer::new(LARGEST_REQUEST))
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
    let at = |path: &str| format!("{}{path}", guard.0.resource.origin_as_called(&headers));
    let document = Document {
        issuer: server.issuer.clone(),
        authorization_endpoint: at("/authorize"),
        token_endpoint: at("/token"),
        // What is not there cannot be handed on to.
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

/// Sends the browser on. An old client names no resource, so this one is named for it: there is
/// no token without an audience, and none for another server.
async fn authorize(State(guard): State<Guard>, uri: Uri) -> Response {
    let server = guard.authorization_server();
    let query = uri.query().unwrap_or_default();
    let Some(resource) = resource_to_add(query, &guard.0.resource.audiences()) else {
        let description = "This server hands on requests for its own resource only.";
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

/// What to append to the query; `None` where it names another resource, or several.
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

/// Hands the request on to the endpoint that the metadata names, whatever path and host the
/// request itself was sent to. Once: a code must not be redeemed twice by trying again.
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
    let answer = server
        .http
        .post(endpoint)
        .headers(crossing(&parts.headers, &REQUEST_HEADERS))
        .body(reqwest::Body::wrap_stream(body.into_data_stream()))
        .timeout(LONGEST_WAIT)
        .send()
        .await;
    match answer {
        Ok(answer) if is_usable(&answer) => relay(answer),
        Ok(answer) => {
            let status = answer.status().as_u16();
            unavailable(server, &FetchError::Status { url: answer.url().clone(), status })
        }
        Err(error) => unavailable(server, &FetchError::Unreachable(error)),
    }
}

/// JSON, or nothing. A page, a redirect or an error of the server's own is not for clients.
fn is_usable(answer: &reqwest::Response) -> bool {
    let kind = answer.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_json = kind.is_none_or(|kind| kind.starts_with(b"application/json"));
    is_json && !answer.status().is_server_error() && !answer.status().is_redirection()
}

fn relay(answer: reqwest::Response) -> Response {
    let headers = crossing(answer.headers(), &ANSWER_HEADERS);
    let status = answer.status();
    let mut left = LARGEST_ANSWER;
    let body = answer.bytes_stream().map_err(std::io::Error::other).map(move |chunk| {
        let chunk = chunk?;
        left = left
            .checked_sub(chunk.len())
            .ok_or_else(|| std::io::Error::other("the answer is too large"))?;
        Ok::<_, std::io::Error>(chunk)
    });
    (status, headers, Body::from_stream(body)).into_response()
}

fn crossing(headers: &HeaderMap, allowed: &[axum::http::HeaderName]) -> HeaderMap {
    let known = allowed.iter().filter_map(|name| Some((name.clone(), headers.get(name)?.clone())));
    known.collect()
}

fn unavailable(server: &AuthorizationServer, error: &FetchError) -> Response {
    server.forget();
    tracing::warn!(reason = "facade_unavailable", cause = %error, "cannot hand a request on");
    let description = "The authorization server does not answer; try again in a moment.";
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
