//! By which names the server may be called, and from which pages.

use reqwest::RequestBuilder;
use serde_json::json;
use tests::{
    programs::{
        client::{Answer, http},
        mcp_client::post,
    },
    stack::{Stack, access_token::signed},
};

async fn status(request: RequestBuilder) -> u16 {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"}}});
    Answer::of(request.json(&body)).await.status.as_u16()
}

#[tokio::test]
async fn a_request_to_a_foreign_name_is_refused() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({}));
    let named = |host: &'static str| status(post(&stack.resource, &token).header("host", host));
    assert_eq!(named("localhost").await, 200);
    assert_eq!(named("127.0.0.1:3001").await, 200);
    for host in ["evil.test", "localhost.evil.test", "10.0.0.1"] {
        assert_eq!(named(host).await, 403, "{host}");
    }
}

#[tokio::test]
async fn a_page_of_a_stranger_is_refused_and_may_not_read() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({}));
    let from = |origin: &'static str| post(&stack.resource, &token).header("origin", origin);
    assert_eq!(status(from("http://localhost:6274")).await, 200);
    for origin in ["https://evil.test", "null", "http://localhost.evil.test"] {
        assert_eq!(status(from(origin)).await, 403, "{origin}");
        let answer = Answer::of(from(origin)).await;
        assert_eq!(answer.headers.get("access-control-allow-origin"), None);
        assert_eq!(answer.headers.get("www-authenticate"), None);
    }
}

#[tokio::test]
async fn a_public_server_is_called_by_its_own_name_and_those_of_its_settings() {
    let public = ["--resource", "https://mcp.example.com/mcp", "--allowed-hosts", "internal"];
    let mut stack = Stack::start_with(&[], &public).await;
    stack.audience = "https://mcp.example.com/mcp".into();
    let token = signed(&stack, &json!({}));
    let named = |host: &'static str| status(post(&stack.resource, &token).header("host", host));
    assert_eq!(named("mcp.example.com").await, 200);
    assert_eq!(named("internal:3001").await, 200);
    assert_eq!(named("localhost").await, 403);
}

#[tokio::test]
async fn a_preflight_of_a_stranger_gets_no_permission() {
    let stack = Stack::start().await;
    let preflight = http()
        .request(reqwest::Method::OPTIONS, &stack.resource)
        .header("origin", "https://evil.test")
        .header("access-control-request-method", "POST");
    let answer = Answer::of(preflight).await;
    assert_eq!(answer.headers.get("access-control-allow-origin"), None);
}
