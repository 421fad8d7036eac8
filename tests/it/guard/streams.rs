//! A caller listens on so many streams, and has so much under way, that others are served.

use reqwest::{Method, Response};
use serde_json::{Value, json};
use tests::{
    access_token::signed,
    client::Answer,
    mcp_client::{Session, Wire, call, message, post, send},
    stack::Stack,
};

/// Streams of one caller.
const MAX_STREAMS: usize = 32;
/// Requests of one caller under way.
const MAX_REQUESTS: usize = 128;

/// Asks to hear of changes, on the wire of 2026.
async fn listen(stack: &Stack, token: &str) -> Response {
    let params = json!({"notifications": {"resourceSubscriptions": ["notes://mine"]}, "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {}}});
    let request = post(&stack.resource, token)
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "subscriptions/listen");
    request.json(&message("subscriptions/listen", params)).send().await.unwrap()
}

async fn is_served(stack: &Stack, token: &str) -> bool {
    call(&stack.resource, Wire::V2026, token, "whoami", json!({})).await.status == 200
}

#[tokio::test]
async fn of_2000_streams_of_one_caller_a_few_are_opened_and_others_are_served_meanwhile() {
    let stack = Stack::start().await;
    let (greedy, other) = (signed(&stack, &json!({})), signed(&stack, &json!({"sub": "eve"})));
    let (mut open, mut refused) = (Vec::new(), 0);
    for _ in 0..2000 {
        let answer = listen(&stack, &greedy).await;
        if answer.status() == 200 {
            open.push(answer);
            continue;
        }
        assert_eq!(answer.status(), 429);
        assert_eq!(answer.headers()["retry-after"], "5");
        let refusal: Value = answer.json().await.unwrap();
        assert_eq!((&refusal["id"], &refusal["error"]["code"]), (&json!(1), &json!(-32000)));
        refused += 1;
    }
    assert_eq!((open.len(), refused), (MAX_STREAMS, 2000 - MAX_STREAMS));
    assert!(is_served(&stack, &other).await);
    assert_eq!(listen(&stack, &other).await.status(), 200);
    // Listening is bounded by itself: the caller can still call.
    assert!(is_served(&stack, &greedy).await);

    // Those that were opened go on, and one that ends makes room.
    let ended = open.pop();
    assert!(open.iter_mut().all(|stream| stream.status() == 200));
    drop(ended);
    let mut again = listen(&stack, &greedy).await;
    while again.status() == 429 {
        // The server has not seen yet that the connection is gone.
        tokio::task::yield_now().await;
        again = listen(&stack, &greedy).await;
    }
    assert_eq!(again.status(), 200);
}

#[tokio::test]
async fn a_person_listens_on_no_more_streams_for_having_many_clients() {
    let stack = Stack::start().await;
    let mut open = Vec::new();
    for client in 0..6 {
        let token = signed(&stack, &json!({"client_id": format!("client-{client}")}));
        for _ in 0..MAX_STREAMS {
            let answer = listen(&stack, &token).await;
            if answer.status() == 200 {
                open.push(answer);
            }
        }
    }
    assert_eq!(open.len(), 4 * MAX_STREAMS);
    assert_eq!(listen(&stack, &signed(&stack, &json!({"sub": "eve"}))).await.status(), 200);
}

#[tokio::test]
async fn streams_of_sessions_count_like_those_of_the_newer_wire() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({}));
    let mut open = Vec::new();
    for _ in 0..MAX_STREAMS {
        open.push(listen(&stack, &token).await);
    }
    let session = Session::open(&stack.resource, &token).await.unwrap();
    let refused = Answer::of(session.request(Method::GET, &token)).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.json["error"]["code"], -32000);
    assert_eq!(session.send(&token, "tools/list", json!({})).await.status, 200);
    let closed = Answer::of(session.request(Method::DELETE, &token)).await;
    assert!(closed.status.is_success());
}

#[tokio::test]
async fn calls_that_wait_are_bounded_although_their_client_is_gone() {
    let stack = Stack::start().await;
    let (token, other) = (signed(&stack, &json!({})), signed(&stack, &json!({"sub": "eve"})));
    let session = Session::open(&stack.resource, &token).await.unwrap();
    let params = json!({"name": "book_table", "arguments": {"restaurant": "Nell's"}});
    let mut refused = None;
    for number in 0..2 * MAX_REQUESTS {
        let mut question = message("tools/call", params.clone());
        question["id"] = number.into();
        let answer = session.request(Method::POST, &token).json(&question).send().await.unwrap();
        if answer.status() == 429 {
            refused = Some((number, answer.json::<Value>().await.unwrap()));
            break;
        }
        // The stream is dropped, and the tool still waits for the person's answer.
    }
    let (number, refusal) = refused.expect("a bound");
    assert!(number >= MAX_REQUESTS - 2, "{number}");
    assert_eq!(refusal["error"]["code"], -32000);
    assert!(is_served(&stack, &other).await);
    // Nothing is asked in the session any more, so what waits in it ends with it.
    let closed = Answer::of(session.request(Method::DELETE, &token)).await;
    assert!(closed.status.is_success());
    while !is_served(&stack, &token).await {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_caller_who_asks_one_thing_after_the_other_is_never_refused() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({}));
    for _ in 0..MAX_REQUESTS + 10 {
        let listed = send(&stack.resource, Wire::V2025, &token, "tools/list", json!({})).await;
        assert_eq!(listed.status, 200);
        assert!(is_served(&stack, &token).await);
    }
    let session = Session::open(&stack.resource, &token).await.unwrap();
    for _ in 0..MAX_REQUESTS + 10 {
        assert_eq!(session.send(&token, "tools/list", json!({})).await.status, 200);
    }
}
