//! Cases of the guard, in front of a service that does nothing, and of the whole MCP server.

use axum::{Router, body::Body, extract::Request, routing::get};
use clap::Parser;
use guard::Guard;
use http::{
    Request as Builder,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST},
};
use serde_json::json;
use tests::stack::{Stack, access_token};
use url::Url;

use crate::{Case, Requests, WARM_UP};

/// New tokens in one repeat.
const NEW_TOKENS: usize = 100;

pub(crate) const CASES: &[Case] = &[
    ("admit_known", 1000),
    ("admit_new", NEW_TOKENS),
    ("admit_expired", 500),
    ("admit_wrong_audience", 500),
    ("admit_wrong_signature", 100),
    ("admit_no_token", 1000),
    ("call", 300),
];

/// What one case sends, and the status that it expects.
pub(crate) fn requests(case: &str, stack: &Stack) -> Requests {
    let now = stack.state.clock.now();
    let one = |token: String| vec![token];
    let (status, tokens) = match case {
        "admit_known" | "call" => (200, one(access_token::signed(stack, &json!({})))),
        "admit_new" => {
            let numbers = 0..WARM_UP + 2 * NEW_TOKENS;
            let token = |number| access_token::signed(stack, &json!({"jti": format!("t{number}")}));
            (200, numbers.map(token).collect())
        }
        "admit_expired" => {
            let times = json!({"iat": now - 700, "exp": now - 100});
            (401, one(access_token::signed(stack, &times)))
        }
        "admit_wrong_audience" => {
            let audience = json!({"aud": "https://other.example.com"});
            (401, one(access_token::signed(stack, &audience)))
        }
        "admit_wrong_signature" => (401, one(changed(access_token::signed(stack, &json!({}))))),
        _ => (401, one(String::new())),
    };
    let is_call = case == "call";
    let router = if is_call { whole_server(stack) } else { guarded(stack) };
    let resource = stack.resource.clone();
    let mut tokens = tokens.into_iter().cycle();
    let next = move || request(&resource, &tokens.next().unwrap_or_default(), is_call);
    Requests { router, status, next: Box::new(next) }
}

fn guarded(stack: &Stack) -> Router {
    let guard = Guard::new(&stack.resource, [&stack.issuer])
        .with_scopes(["mcp:tools"])
        .with_clock(stack.state.clock.clone())
        .build()
        .expect("a guard");
    Router::new().route("/mcp", get(async || "ok").post(async || "ok")).layer(guard.layer())
}

fn whole_server(stack: &Stack) -> Router {
    let options = ["mcp", "--resource", &stack.resource, "--issuer", &stack.issuer];
    let config = mcp::config::Config::try_parse_from(options).expect("settings");
    mcp::router(&config, stack.state.clock.clone()).expect("a router")
}

/// `tools/call` on the wire of 2026-07-28.
fn request(resource: &str, token: &str, is_call: bool) -> Request {
    let url = Url::parse(resource).expect("a URL");
    let mut builder = Builder::post(url.path())
        .header(HOST, url.authority())
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", "echo");
    if !token.is_empty() {
        builder = builder.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "echo", "arguments": {"message": "ping pong"}, "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "counts", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {}}}});
    let body = if is_call { Body::from(body.to_string()) } else { Body::empty() };
    builder.body(body).expect("a request")
}

/// The token with one character of its signature changed.
fn changed(token: String) -> String {
    let middle = token.rfind('.').expect("a signature") + 40;
    let other = if token[middle..].starts_with('A') { "B" } else { "A" };
    format!("{}{other}{}", &token[..middle], &token[middle + 1..])
}
