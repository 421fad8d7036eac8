//! A session of the older wires belongs to the caller that opened it, and a stream ends with its
//! token.

use reqwest::Method;
use serde_json::json;
use tests::{
    programs::{
        client::Answer,
        mcp_client::{Session, Wire, message, post, send},
    },
    stack::{Stack, access_token::signed},
};

#[tokio::test]
async fn to_anyone_but_its_opener_a_session_does_not_exist() {
    let stack = Stack::start().await;
    let opener = signed(&stack, &json!({}));
    let session = Session::open(&stack.resource, &opener).await.unwrap();
    let strangers = [
        json!({"sub": "eve"}),
        json!({"client_id": "other"}),
        json!({"sub": "nickcli", "client_id": "ent"}),
    ];
    for stranger in strangers {
        let token = signed(&stack, &stranger);
        assert_eq!(session.send(&token, "tools/list", json!({})).await.status, 404);
        let resumed = session.request(Method::GET, &token).header("last-event-id", "0/0");
        assert_eq!(Answer::of(resumed).await.status, 404);
        // Answered as for a session that never was, and nothing ends.
        assert_eq!(Answer::of(session.request(Method::DELETE, &token)).await.status, 404);
    }
    assert_eq!(session.send("", "tools/list", json!({})).await.status, 401);
    assert_eq!(session.send(&opener, "tools/list", json!({})).await.status, 200);
}

#[tokio::test]
async fn a_session_lives_on_with_the_next_token_of_its_opener_and_ends_when_it_is_closed() {
    let stack = Stack::start().await;
    let session = Session::open(&stack.resource, &signed(&stack, &json!({}))).await.unwrap();
    let refreshed = signed(&stack, &json!({"jti": "2", "scope": "mcp:tools"}));
    assert_eq!(session.send(&refreshed, "tools/list", json!({})).await.status, 200);
    let closed = Answer::of(session.request(Method::DELETE, &refreshed)).await;
    assert_eq!(closed.status, 204);
    assert_eq!(session.send(&refreshed, "tools/list", json!({})).await.status, 404);
}

#[tokio::test]
async fn a_caller_keeps_so_many_sessions_and_no_more() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({}));
    let other = signed(&stack, &json!({"sub": "eve"}));
    let others = Session::open(&stack.resource, &other).await.unwrap();
    let first = Session::open(&stack.resource, &token).await.unwrap();
    for _ in 0..32 {
        Session::open(&stack.resource, &token).await.unwrap();
    }
    assert_eq!(first.send(&token, "tools/list", json!({})).await.status, 404);
    assert_eq!(others.send(&other, "tools/list", json!({})).await.status, 200);
}

#[tokio::test]
async fn on_the_wire_of_2026_there_are_no_sessions() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({}));
    let listed = send(&stack.resource, Wire::V2026, &token, "tools/list", json!({})).await;
    assert_eq!(listed.status, 200);
    assert_eq!(listed.headers.get("mcp-session-id"), None);
    for method in [Method::GET, Method::DELETE] {
        let request = tests::programs::client::http()
            .request(method, &stack.resource)
            .bearer_auth(&token)
            .header("accept", "text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-session-id", "x");
        assert_eq!(Answer::of(request).await.status, 405);
    }
}

#[tokio::test]
async fn a_stream_ends_when_its_token_expires() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({}));
    let session = Session::open(&stack.resource, &token).await.unwrap();
    let mut stream = session.request(Method::GET, &token).send().await.unwrap();
    assert_eq!(stream.status(), 200);
    stack.advance(700);
    // Without the guard's watch, this would wait for the client's own time-out and fail.
    while stream.chunk().await.unwrap().is_some() {}
    assert_eq!(session.send(&token, "tools/list", json!({})).await.status, 401);
}

/// The stream that answers `initialize` of a client of `revision`.
async fn hello(stack: &Stack, revision: &str) -> String {
    let params = json!({"protocolVersion": revision, "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"}});
    let request = post(&stack.resource, &signed(stack, &json!({})));
    let answer = request.json(&message("initialize", params)).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{revision}");
    answer.text().await.unwrap()
}

#[tokio::test]
async fn only_clients_from_2025_11_25_on_get_events_without_data() {
    let stack = Stack::start().await;
    for revision in ["2024-11-05", "2025-03-26", "2025-06-18"] {
        let stream = hello(&stack, revision).await;
        assert!(stream.contains(revision), "{stream}");
        for event in stream.split("\n\n").filter(|event| !event.is_empty()) {
            assert!(event.contains("data: {"), "{revision}: {event:?}");
        }
    }
    assert!(hello(&stack, "2025-11-25").await.contains("retry:"));
}

#[tokio::test]
async fn neither_do_the_streams_of_a_session_hold_them() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({}));
    let session = Session::open(&stack.resource, &token).await.unwrap();
    let call = message("tools/call", json!({"name": "whoami", "arguments": {}}));
    let stream = async |revision: Option<&str>| {
        let request = post(&stack.resource, &token).header("mcp-session-id", &session.id);
        let request = match revision {
            Some(revision) => request.header("mcp-protocol-version", revision),
            None => request,
        };
        request.json(&call).send().await.unwrap().text().await.unwrap()
    };
    assert!(stream(Some("2025-11-25")).await.contains("retry:"));
    for revision in [None, Some("2025-06-18")] {
        let stream = stream(revision).await;
        assert!(stream.contains("Nick Lucas") && !stream.contains("retry:"), "{stream}");
    }
}

#[tokio::test]
async fn no_session_is_found_by_guessing() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({}));
    let own = Session::open(&stack.resource, &token).await.unwrap();
    let mut guess = own.id.clone();
    let last = guess.pop().unwrap();
    guess.push(if last == '0' { '1' } else { '0' });
    let guesses = ["1", "0", "-1", "session", "00000000-0000-0000-0000-000000000000", "*", "%"];
    for id in guesses.into_iter().chain([guess.as_str(), &own.id.to_uppercase()]) {
        // An id without letters has one spelling.
        if id == own.id {
            continue;
        }
        let request = post(&stack.resource, &token).header("mcp-session-id", id);
        let answer = Answer::of(request.json(&message("tools/list", json!({})))).await;
        assert_eq!(answer.status, 404, "{id}");
    }
    assert_eq!(own.send(&token, "tools/list", json!({})).await.status, 200);
}
