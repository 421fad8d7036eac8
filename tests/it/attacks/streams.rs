//! A caller listens on so many streams, and has so much under way, that others are served.

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tests::{
    programs::{
        client::{Answer, http},
        mcp_client::{Session, message, whoami},
    },
    stack::{Stack, access_token::signed},
};

/// Streams of one caller.
const MAX_STREAMS: usize = 32;
/// Requests of one caller under way.
const MAX_REQUESTS: usize = 128;

/// A caller with an HTTP client that is kept, for many requests.
struct Caller<'a> {
    stack: &'a Stack,
    http: reqwest::Client,
    token: String,
}

impl<'a> Caller<'a> {
    fn new(stack: &'a Stack, change: Value) -> Self {
        Self { stack, http: http(), token: signed(stack, &change) }
    }

    fn post(&self) -> RequestBuilder {
        let accepted = "application/json, text/event-stream";
        let request = self.http.post(&self.stack.resource).header("accept", accepted);
        request.bearer_auth(&self.token)
    }

    /// Asks to hear of changes, on the wire of 2026.
    async fn listen(&self) -> Response {
        let params = json!({"notifications": {"resourceSubscriptions": ["notes://mine"]}, "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {}}});
        let request = self.post().header("mcp-protocol-version", "2026-07-28");
        let request = request.header("mcp-method", "subscriptions/listen");
        request.json(&message("subscriptions/listen", params)).send().await.unwrap()
    }

    async fn is_served(&self) -> bool {
        whoami(&self.http, &self.stack.resource, &self.token).await.status == 200
    }

    async fn open_session(&self) -> Session {
        Session::open(&self.stack.resource, &self.token).await.unwrap()
    }
}

#[tokio::test]
async fn of_2000_streams_of_one_caller_a_few_are_opened_and_others_are_served_meanwhile() {
    let stack = Stack::start().await;
    let greedy = Caller::new(&stack, json!({}));
    let other = Caller::new(&stack, json!({"sub": "eve"}));
    let mut open = Vec::new();
    let mut refused = 0;
    for _ in 0..2000 {
        let answer = greedy.listen().await;
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
    assert!(other.is_served().await);
    assert_eq!(other.listen().await.status(), 200);
    // Listening is bounded by itself: the caller can still call.
    assert!(greedy.is_served().await);

    // One that ends makes room, as soon as the server sees it.
    open.pop();
    while greedy.listen().await.status() == 429 {}
}

#[tokio::test]
async fn a_person_listens_on_no_more_streams_for_having_many_clients() {
    let stack = Stack::start().await;
    let mut open = Vec::new();
    for client in 0..6 {
        let caller = Caller::new(&stack, json!({"client_id": format!("client-{client}")}));
        for _ in 0..MAX_STREAMS {
            let answer = caller.listen().await;
            if answer.status() == 200 {
                open.push(answer);
            }
        }
    }
    assert_eq!(open.len(), 4 * MAX_STREAMS);
    assert_eq!(Caller::new(&stack, json!({"sub": "eve"})).listen().await.status(), 200);
}

#[tokio::test]
async fn streams_of_sessions_count_like_those_of_the_newer_wire() {
    let stack = Stack::start().await;
    let caller = Caller::new(&stack, json!({}));
    let mut open = Vec::new();
    for _ in 0..MAX_STREAMS {
        open.push(caller.listen().await);
    }
    let session = caller.open_session().await;
    let refused = Answer::of(session.request(Method::GET, &caller.token)).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.json["error"]["code"], -32000);
    assert_eq!(session.send(&caller.token, "tools/list", json!({})).await.status, 200);
    let closed = Answer::of(session.request(Method::DELETE, &caller.token)).await;
    assert!(closed.status.is_success());
}

#[tokio::test]
async fn calls_that_wait_are_bounded_although_their_client_is_gone() {
    let stack = Stack::start().await;
    let caller = Caller::new(&stack, json!({}));
    let session = caller.open_session().await;
    let ask = async |id: usize| {
        let params = json!({"name": "book_table", "arguments": {"restaurant": "Nell's"}});
        let mut question = message("tools/call", params);
        question["id"] = id.into();
        let request = caller.post().header("mcp-protocol-version", "2025-11-25");
        let request = request.header("mcp-session-id", &session.id);
        request.json(&question).send().await.unwrap()
    };
    let mut number = 0;
    let refused = loop {
        let answer = ask(number).await;
        if answer.status() == 429 {
            break answer.json::<Value>().await.unwrap();
        }
        // The stream is dropped, and the tool still waits for the person's answer.
        number += 1;
        assert!(number <= MAX_REQUESTS, "there is no bound");
    };
    assert!(number >= MAX_REQUESTS - 2, "{number}");
    assert_eq!(refused["error"]["code"], -32000);
    assert!(Caller::new(&stack, json!({"sub": "eve"})).is_served().await);
    // What waits in a session ends with it, and its end is not refused.
    let closed = Answer::of(session.request(Method::DELETE, &caller.token)).await;
    assert!(closed.status.is_success());
    while !caller.is_served().await {}
}

#[tokio::test]
async fn a_caller_who_asks_one_thing_after_the_other_is_never_refused() {
    let stack = Stack::start().await;
    let caller = Caller::new(&stack, json!({}));
    let session = caller.open_session().await;
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"}});
    for _ in 0..MAX_REQUESTS + 10 {
        assert!(caller.is_served().await);
        let request = caller.post().header("mcp-protocol-version", "2025-11-25");
        let request = request.header("mcp-session-id", &session.id);
        let listed = Answer::of(request.json(&message("tools/list", json!({})))).await;
        assert_eq!(listed.status, 200);
        let opened = Answer::of(caller.post().json(&message("initialize", params.clone()))).await;
        assert_eq!(opened.status, 200);
    }
}
