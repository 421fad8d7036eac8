//! `/mcp`: the challenge, and an answer to requests with a token.

use axum::{
    Json,
    extract::{Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode},
    response::{Html, IntoResponse, Response},
};
use serde_json::json;
use std::collections::HashMap;

use super::{Flawed, Shared, set};

/// Answers who has a token, and challenges who has none.
pub(super) async fn mcp(
    State(flawed): Shared,
    method: Method,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let header = headers.get("authorization").and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.strip_prefix("Bearer "));
    let in_query = query.get("access_token").filter(|_| flawed.is("sign_in.not_in_query"));
    let token = token.or(in_query.map(String::as_str));
    if token.is_some_and(|token| flawed.memory().access_tokens.contains(token)) {
        return Json(json!({"jsonrpc": "2.0", "id": 1, "result": {}})).into_response();
    }
    let needs_none = flawed.is("open") || flawed.is("anonymous") && token.is_none();
    if needs_none && method == Method::POST {
        return Json(json!({"jsonrpc": "2.0", "id": 1, "result": {}})).into_response();
    }
    if flawed.is("leaves_out") && method == Method::GET {
        return Html("An MCP server").into_response();
    }
    let is_discovery = headers.contains_key("mcp-method");
    let status = match flawed.flaw {
        "challenge.unauthorized" if method == Method::POST && !is_discovery && token.is_none() => {
            403
        }
        "challenge.get" if method == Method::GET => 400,
        "challenge.discover" if is_discovery => 403,
        "post_only" | "open" | "anonymous" if method == Method::GET => 405,
        "post_only" if is_discovery => 400,
        "challenge.bad_token" if token.is_some() => 403,
        _ => 401,
    };
    let status = StatusCode::from_u16(status).expect("a status");
    let mut response = (status, Json(json!({"error": "unauthorized"}))).into_response();
    if !(flawed.is("challenge.header") && token.is_none()) {
        set(&mut response, "www-authenticate", &challenge(&flawed, token.is_some()));
    }
    if flawed.is("two_challenges") {
        let name = HeaderName::from_static("www-authenticate");
        let first =
            response.headers_mut().insert(&name, HeaderValue::from_static("Bearer realm=\"a\""));
        response.headers_mut().append(name, first.expect("a challenge"));
    }
    response
}

fn challenge(flawed: &Flawed, has_token: bool) -> String {
    let scheme = if flawed.is("challenge.scheme") { "bearer" } else { "Bearer" };
    let place = match flawed.flaw {
        "challenge.metadata_address" => {
            flawed.at("/.well-known/oauth-protected-resource/mcp").replace("localhost", "127.0.0.1")
        }
        "resource.announced_place" => flawed.at("/missing"),
        "resource.inserted_place" => flawed.at("/.well-known/oauth-protected-resource"),
        _ => flawed.at("/.well-known/oauth-protected-resource/mcp"),
    };
    let says_error = if has_token {
        !flawed.is("challenge.invalid_token")
    } else {
        flawed.is("challenge.no_error")
    };
    let named = format!("resource_metadata=\"{place}\"");
    let parameters = [
        (flawed.is("challenge.no_doubles"), named.clone()),
        (!flawed.is("challenge.resource_metadata"), named),
        (!flawed.is("challenge.scope"), "scope=\"mcp:tools\"".to_owned()),
        (says_error, "error=\"invalid_token\"".to_owned()),
    ];
    let parameters = parameters.into_iter().filter(|(is_there, _)| *is_there);
    let parameters: Vec<_> = parameters.map(|(_, parameter)| parameter).collect();
    let others =
        if flawed.is("post_only") { "Basic realm=\"x\", DPoP algs=\"ES256\", " } else { "" };
    format!("{others}{scheme} {}", parameters.join(", "))
}
