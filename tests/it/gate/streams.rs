//! Streams and sessions of real servers, through the gate.

use std::{net::Ipv4Addr, sync::Arc};

use axum::{Router, body::Body, response::Response, routing::post as route_post};
use futures::{StreamExt, stream};
use rmcp::{
    ServerHandler,
    handler::server::wrapper::Parameters,
    schemars::JsonSchema,
    tool, tool_handler, tool_router,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use serde::Deserialize;
use serde_json::json;
use tests::{
    programs::mcp_client::{Session, Wire, message, next_message, post, send},
    stack::{Stack, access_token::signed, gate},
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
};

/// A server that has never heard of OAuth.
#[derive(Clone)]
struct Echo;

#[derive(Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
struct Said {
    text: String,
}

#[tool_router]
impl Echo {
    #[tool(description = "Says the text back")]
    async fn echo(&self, Parameters(said): Parameters<Said>) -> String {
        said.text
    }
}

#[tool_handler(name = "echo", version = "1.0.0")]
impl ServerHandler for Echo {}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });
    url
}

#[tokio::test]
async fn a_server_that_knows_no_tokens_is_called_on_both_wires() {
    let stack = Stack::start().await;
    let sessions = Arc::new(LocalSessionManager::default());
    let config = StreamableHttpServerConfig::default();
    let service = StreamableHttpService::new(|| Ok(Echo), sessions, config);
    let server = serve(Router::new().route_service("/mcp", service)).await;
    let resource = gate::start(&stack, &server, &[]).await;
    let token = signed(&stack, &json!({"aud": resource}));
    for wire in [Wire::V2025, Wire::V2026] {
        let params = json!({"name": "echo", "arguments": {"text": "ping pong ☃"}});
        let answer = send(&resource, wire, &token, "tools/call", params).await;
        assert_eq!(
            answer.json["result"]["content"][0]["text"], "ping pong ☃",
            "{wire:?}: {}",
            answer.json
        );
    }
    let session = Session::open(&resource, &token).await.unwrap();
    let stranger = signed(&stack, &json!({"aud": resource, "sub": "eve"}));
    assert_eq!(session.send(&stranger, "tools/list", json!({})).await.status, 404);
    assert_eq!(session.send(&token, "tools/list", json!({})).await.status, 200);
}

/// A server whose stream says what the test sends, and tells when the stream was dropped.
async fn streaming() -> (String, mpsc::Sender<String>, oneshot::Receiver<()>) {
    let (events, received) = mpsc::channel::<String>(1);
    let (left, gone) = oneshot::channel::<()>();
    let once = Arc::new(std::sync::Mutex::new(Some((received, left))));
    let answer = async move || {
        let (received, left) = once.lock().unwrap().take().unwrap();
        let events = stream::unfold((received, left), async |(mut received, left)| {
            let event = received.recv().await?;
            Some((Ok::<_, std::convert::Infallible>(event), (received, left)))
        });
        Response::builder()
            .header("content-type", "text/event-stream")
            .body(Body::from_stream(events))
            .unwrap()
    };
    (serve(Router::new().route("/mcp", route_post(answer))).await, events, gone)
}

#[tokio::test]
async fn each_event_of_a_stream_arrives_before_the_next_is_written() {
    let stack = Stack::start().await;
    let (server, events, _gone) = streaming().await;
    let resource = gate::start(&stack, &server, &[]).await;
    let token = signed(&stack, &json!({"aud": resource}));
    let mut answer =
        post(&resource, &token).json(&message("ping", json!({}))).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut buffer = String::new();
    for n in 0..3 {
        events.send(format!("data: {{\"n\":{n}}}\n\n")).await.unwrap();
        assert_eq!(next_message(&mut answer, &mut buffer).await, json!({"n": n}));
    }
    drop(events);
    assert_eq!(answer.chunk().await.unwrap(), None);
}

#[tokio::test]
async fn when_the_caller_leaves_the_server_hears_of_it() {
    let stack = Stack::start().await;
    let (server, events, gone) = streaming().await;
    let resource = gate::start(&stack, &server, &[]).await;
    let token = signed(&stack, &json!({"aud": resource}));
    let answer = post(&resource, &token).json(&message("ping", json!({}))).send().await.unwrap();
    events.send("data: {}\n\n".into()).await.unwrap();
    let mut chunks = answer.bytes_stream();
    chunks.next().await.unwrap().unwrap();
    drop(chunks);
    // The end of `left` without a message: the server's stream was dropped.
    assert!(gone.await.is_err());
}
