//! `/mcp`: the challenge, and an answer to requests with a token.

use axum::{
    Json,
    extract::{Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode},
    response::{Html, IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

use super::{Flawed, Shared, set};

/// Answers who has a token, and challenges who has none.
pub(super) async fn mcp(
    State(flawed): Shared,
    method: Method,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let header = headers.get("authorization").and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.strip_prefix("Bearer "));
    let in_query = query.get("access_token").filter(|_| flawed.is("sign_in.not_in_query"));
    let token = token.or(in_query.map(String::as_str));
    let is_known = |token: &str| {
        flawed.memory().access_tokens.contains(token)
            || flawed.is("sign_in.forged_token") && is_jwt(token)
    };
    if token.is_some_and(is_known) {
        return with_session(&flawed);
    }
    let needs_none = flawed.is("open") || flawed.is("anonymous") && token.is_none();
    if needs_none && (is_of("host", &headers) || is_of("origin", &headers)) {
        return StatusCode::FORBIDDEN.into_response();
    }
    if needs_none && method == Method::POST || lets_in(&flawed, &headers, &body) {
        return answered();
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

/// Whether an attacker is let in.
fn lets_in(flawed: &Flawed, headers: &HeaderMap, body: &str) -> bool {
    match flawed.flaw {
        "attack.foreign_host" => is_of("host", headers),
        "attack.foreign_page" => is_of("origin", headers) && !is_of("host", headers),
        "attack.tool_call" => body.contains("tools/call"),
        "sign_in.session_alone" => headers.contains_key("mcp-session-id"),
        _ => false,
    }
}

/// Whether a header names the attacker's host.
fn is_of(header: &str, headers: &HeaderMap) -> bool {
    let value = headers.get(header).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.contains("attacker.example"))
}

fn answered() -> Response {
    Json(json!({"jsonrpc": "2.0", "id": 1, "result": {}})).into_response()
}

/// The answer to a caller with a token, in a session where the server keeps them.
fn with_session(flawed: &Flawed) -> Response {
    let mut response = answered();
    let name = flawed.memory().fresh("session");
    let random = hex(&Sha256::digest(&name));
    match flawed.flaw {
        "sign_in.session_names" => {
            let number = name.trim_start_matches("session-");
            set(&mut response, "mcp-session-id", &format!("{number:0>36}"));
        }
        // As UUIDs of version 7, whose first half is the time.
        "own_audience" => {
            set(&mut response, "mcp-session-id", &format!("01939f6e7c40{}", &random[..20]));
        }
        "post_only" => {}
        _ => set(&mut response, "mcp-session-id", &random),
    }
    response
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether claims can be read from it.
fn is_jwt(token: &str) -> bool {
    let claims = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    claims.is_some_and(|claims| serde_json::from_slice::<Value>(&claims).is_ok())
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
