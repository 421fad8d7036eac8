//! What a request without a good token is told.

use serde_json::json;
use tests::{
    programs::{
        client::{Answer, Client, http},
        mcp_client::{Wire, call},
    },
    stack::{Stack, access_token::signed},
};

fn challenge(answer: &Answer) -> &str {
    answer.headers["www-authenticate"].to_str().unwrap()
}

#[tokio::test]
async fn without_credentials_the_challenge_has_no_error_and_names_scopes_and_metadata() {
    let stack = Stack::start().await;
    for wire in [Wire::V2025, Wire::V2026] {
        let answer = call(&stack.resource, wire, "", "echo", json!({})).await;
        assert_eq!(answer.status, 401);
        let origin = stack.resource.strip_suffix("/mcp").unwrap();
        let expected = format!(
            "Bearer scope=\"mcp:tools profile email\", \
             resource_metadata=\"{origin}/.well-known/oauth-protected-resource/mcp\""
        );
        assert_eq!(challenge(&answer), expected);
    }
}

#[tokio::test]
async fn the_token_is_asked_for_before_anything_else_is_looked_at() {
    let stack = Stack::start().await;
    let bare = Answer::of(http().get(&stack.resource)).await;
    assert_eq!(bare.status, 401);
    let odd = http()
        .post(&stack.resource)
        .header("mcp-protocol-version", "1999-01-01")
        .header("origin", "https://evil.test")
        .header("content-type", "text/plain")
        .body("{");
    assert_eq!(Answer::of(odd).await.status, 401);
}

#[tokio::test]
async fn a_bad_token_is_told_which_check_failed() {
    let stack = Stack::start().await;
    let answer = call(&stack.resource, Wire::V2026, "a.b.c", "echo", json!({})).await;
    assert_eq!(answer.status, 401);
    assert!(challenge(&answer).starts_with(
        "Bearer error=\"invalid_token\", error_description=\"The token is not a well-formed JWT.\""
    ));
}

#[tokio::test]
async fn malformed_doubled_and_misplaced_credentials_are_bad_requests() {
    let stack = Stack::start().await;
    let url = &stack.resource;
    let empty = http().post(url).header("authorization", "Bearer");
    let doubled =
        http().post(url).header("authorization", "Bearer a").header("authorization", "Bearer b");
    let version = http()
        .post(url)
        .bearer_auth("a")
        .header("mcp-protocol-version", "2025-11-25")
        .header("mcp-protocol-version", "2026-07-28");
    let query = http().post(format!("{url}?access_token=a"));
    for request in [empty, doubled, version, query] {
        let answer = Answer::of(request).await;
        assert_eq!((answer.status.as_u16(), answer.text("error")), (400, "invalid_request"));
    }
}

#[tokio::test]
async fn another_scheme_is_answered_like_no_credentials() {
    let stack = Stack::start().await;
    let without = Answer::of(http().post(&stack.resource)).await;
    for value in ["Basic YTpi", "Digest username=\"a\"", "Negotiate"] {
        let request = http().post(&stack.resource).header("authorization", value);
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, 401, "{value}");
        assert_eq!(challenge(&answer), challenge(&without), "{value}");
    }
}

#[tokio::test]
async fn several_spaces_before_the_token_are_one() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({}));
    let request = http()
        .post(&stack.resource)
        .header("authorization", format!("Bearer   {token}"))
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-06-18")
        .json(&json!({}));
    assert_ne!(Answer::of(request).await.status, 401);
}

#[tokio::test]
async fn a_tool_that_needs_more_scope_names_all_of_it_at_once() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens_for("mcp:tools").await;

    for wire in [Wire::V2025, Wire::V2026] {
        let token = tokens.text("access_token");
        let answer = call(&stack.resource, wire, token, "echo", json!({"message": "x"})).await;
        assert_eq!(answer.status, 403, "{wire:?}: {}", answer.json);
        assert!(challenge(&answer).starts_with("Bearer error=\"insufficient_scope\""));
        assert!(
            challenge(&answer).contains("scope=\"mcp:tools profile\""),
            "{}",
            challenge(&answer)
        );
        let answer = call(&stack.resource, wire, token, "whoami", json!({})).await;
        assert_eq!(answer.status, 200);
    }
}

#[tokio::test]
async fn browser_clients_may_ask_first() {
    let stack = Stack::start().await;
    let preflight = http()
        .request(reqwest::Method::OPTIONS, &stack.resource)
        .header("origin", "http://localhost:6274")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,mcp-protocol-version,mcp-method");
    let answer = Answer::of(preflight).await;
    assert_eq!(answer.status, 200);
    let allowed = answer.headers["access-control-allow-headers"].to_str().unwrap();
    for name in ["authorization", "content-type", "mcp-protocol-version", "mcp-session-id"] {
        assert!(allowed.contains(name), "{name}");
    }
}

#[tokio::test]
async fn where_there_is_nothing_to_protect_no_token_is_asked_for() {
    let stack = Stack::start().await;
    let origin = stack.resource.strip_suffix("/mcp").unwrap();
    for path in ["/mcp/more", "/.well-known/openid-configuration", "/favicon.ico"] {
        let answer = Answer::of(http().get(format!("{origin}{path}"))).await;
        assert_eq!(answer.status, 404, "{path}");
    }
}
