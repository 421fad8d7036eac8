//! What of a request reaches the server behind the gate, and what of its answer the caller.

use std::{net::Ipv4Addr, sync::Arc};

use axum::{Json, Router, http::HeaderMap, routing::post as on_post};
use futures::future::join_all;
use serde_json::{Value, json};
use tests::{
    programs::{
        client::{Answer, http},
        mcp_client::{message, post},
    },
    servers::document_server::{Document, DocumentServer},
    stack::{Stack, access_token::signed, gate},
};
use tokio::{net::TcpListener, sync::Barrier};

/// A token for the gate at `resource`.
fn token(stack: &Stack, resource: &str) -> String {
    signed(stack, &json!({"aud": resource}))
}

fn pong() -> Document {
    Document::json(&json!({"jsonrpc": "2.0", "id": 1, "result": {}}))
}

/// A server that answers its callers only once all of them have asked; its address.
async fn meeting_point(callers: usize) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let everyone = Arc::new(Barrier::new(callers));
    let answer = async move |headers: HeaderMap, Json(message): Json<Value>| {
        everyone.wait().await;
        let user = headers["x-forwarded-user"].to_str().unwrap();
        let result = json!({"user": user, "said": message["params"]["_meta"]["said"]});
        Json(json!({"jsonrpc": "2.0", "id": message["id"], "result": result}))
    };
    let router = Router::new().route("/mcp", on_post(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test]
async fn callers_who_use_one_request_id_at_once_get_their_own_answers() {
    let stack = Stack::start().await;
    let upstream = meeting_point(24).await;
    let resource = gate::start(&stack, &upstream, &["--identity", "headers"]).await;
    let calls = (0..24).map(async |number| {
        let name = format!("caller-{number}");
        let token = signed(&stack, &json!({"aud": resource, "sub": name}));
        let said = message("ping", json!({"_meta": {"said": name}}));
        (Answer::of(post(&resource, &token).json(&said)).await, name)
    });
    for (answer, name) in join_all(calls).await {
        let own = json!({"jsonrpc": "2.0", "id": 1, "result": {"user": name, "said": name}});
        assert_eq!(answer.json, own);
    }
}

#[tokio::test]
async fn without_a_token_the_caller_learns_where_to_get_one_and_the_server_nothing() {
    let stack = Stack::start().await;
    let server = DocumentServer::start().await;
    server.put("/mcp", pong());
    let resource = gate::start(&stack, &server.at("/mcp"), &["--scope", "mcp:tools"]).await;
    let refused = Answer::of(post(&resource, "").json(&message("ping", json!({})))).await;
    assert_eq!(refused.status, 401);
    let challenge = refused.headers["www-authenticate"].to_str().unwrap();
    let metadata = resource.replace("/mcp", "/.well-known/oauth-protected-resource/mcp");
    assert!(
        challenge.contains("scope=\"mcp:tools\"") && challenge.contains(&metadata),
        "{challenge}"
    );
    let metadata = Answer::of(http().get(metadata)).await.json;
    assert_eq!(metadata["resource"], resource);
    assert_eq!(metadata["authorization_servers"], json!([stack.issuer]));
    // A token for another resource of the same issuer is refused too, and so is one without the scope.
    for (change, status) in [(json!({}), 401), (json!({"aud": resource, "scope": "email"}), 403)] {
        let token = signed(&stack, &change);
        let call = message("tools/call", json!({"name": "echo"}));
        let refused = Answer::of(post(&resource, &token).json(&call)).await;
        assert_eq!(refused.status, status, "{change}");
    }
    assert_eq!(server.hits("/mcp"), 0);
}

#[tokio::test]
async fn the_server_gets_the_message_and_its_query_but_never_the_token() {
    let stack = Stack::start().await;
    let server = DocumentServer::start().await;
    server.put("/inner/mcp", pong());
    let resource = gate::start(&stack, &server.at("/inner/mcp"), &[]).await;
    let message = message("ping", json!({"_meta": {"é": "☃"}}));
    let url = format!("{resource}?team=a%20b&x");
    let request = post(&url, &token(&stack, &resource)).header("traceparent", "00-1-2-00");
    let answer = Answer::of(request.json(&message)).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json),
        (200, json!({"jsonrpc": "2.0", "id": 1, "result": {}}))
    );
    assert_eq!(serde_json::from_str::<Value>(&server.last_body("/inner/mcp")).unwrap(), message);
    assert_eq!(server.last_query("/inner/mcp"), "team=a%20b&x");
    let header = |name: &str| server.last_header("/inner/mcp", name);
    assert_eq!(header("authorization"), "");
    assert_eq!(header("traceparent"), "00-1-2-00");
    assert_eq!(format!("http://{}", header("host")), server.url);
    assert_eq!(
        format!("{}://{}/mcp", header("x-forwarded-proto"), header("x-forwarded-host")),
        resource
    );
}

#[tokio::test]
async fn what_only_the_gate_may_say_is_not_taken_from_callers() {
    let stack = Stack::start().await;
    let server = DocumentServer::start().await;
    server.put("/mcp", pong());
    let resource = gate::start(&stack, &server.at("/mcp"), &["--identity", "headers"]).await;
    let sent = [
        ("x-forwarded-user", "admin"),
        ("x-forwarded-groups", "admins"),
        ("x-forwarded-email", "admin@example.com"),
        ("x-forwarded-for", "10.0.0.1"),
        ("x-portcullis-identity", "a.b.c"),
        ("x_forwarded_user", "admin"),
        ("x-real-ip", "10.0.0.1"),
        ("forwarded", "for=10.0.0.1"),
        ("cookie", "session=1"),
        ("connection", "keep-alive, x-internal"),
        ("x-internal", "1"),
        ("te", "trailers"),
        ("proxy-authorization", "Basic YTpi"),
        ("accept-encoding", "gzip"),
    ];
    let mut request = post(&resource, &token(&stack, &resource));
    for (name, value) in sent {
        request = request.header(name, value);
    }
    let answer = Answer::of(request.json(&message("ping", json!({})))).await;
    assert_eq!(answer.status, 200);
    for (name, value) in sent {
        let reached = server.last_header("/mcp", name);
        assert!(
            !reached.contains(value) || name == "connection" && !reached.contains("x-internal"),
            "{name}: {reached}"
        );
    }
    assert_eq!(server.last_header("/mcp", "x-forwarded-user"), "nick");
}

#[tokio::test]
async fn an_origin_that_the_gate_allows_is_not_checked_again_behind_it() {
    let stack = Stack::start().await;
    let server = DocumentServer::start().await;
    server.put("/mcp", pong().with("access-control-allow-origin", "https://evil.example"));
    let page = "https://app.example.com";
    let resource = gate::start(&stack, &server.at("/mcp"), &["--allowed-origins", page]).await;
    let request = |origin: &str| {
        let request = post(&resource, &token(&stack, &resource)).header("origin", origin);
        Answer::of(request.json(&message("ping", json!({}))))
    };
    let answer = request(page).await;
    assert_eq!(answer.status, 200);
    let allowed: Vec<_> = answer.headers.get_all("access-control-allow-origin").iter().collect();
    assert_eq!(allowed, [page]);
    assert_eq!(server.last_header("/mcp", "origin"), "");
    assert_eq!(request("https://evil.example").await.status, 403);
    assert_eq!(server.hits("/mcp"), 1);
}

#[tokio::test]
async fn an_answer_passes_as_it_is_but_cannot_speak_for_the_gate() {
    let stack = Stack::start().await;
    let server = DocumentServer::start().await;
    let resource = gate::start(&stack, &server.at("/mcp"), &[]).await;
    let token = token(&stack, &resource);
    for status in [200, 202, 400, 403, 404, 500, 503] {
        let document = Document { status, ..pong() };
        server.put(
            "/mcp",
            document
                .with("mcp-session-id", "s1")
                .with("retry-after", "7")
                .with("set-cookie", "a=b")
                .with("www-authenticate", "Bearer resource_metadata=\"https://evil.example\"")
                .with("alt-svc", "h2=\":1\"")
                .with("x-own", "1"),
        );
        let answer = Answer::of(post(&resource, &token).json(&message("ping", json!({})))).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.json["result"], json!({}));
        for (name, value) in [("mcp-session-id", "s1"), ("retry-after", "7"), ("x-own", "1")] {
            assert_eq!(answer.headers[name], value, "{status}");
        }
        for name in ["set-cookie", "www-authenticate", "alt-svc"] {
            assert!(!answer.headers.contains_key(name), "{status} {name}");
        }
    }
}

#[tokio::test]
async fn a_session_of_the_server_belongs_to_its_opener() {
    let stack = Stack::start().await;
    let server = DocumentServer::start().await;
    server.put("/mcp", pong().with("mcp-session-id", "s1"));
    let resource = gate::start(&stack, &server.at("/mcp"), &[]).await;
    let opener = token(&stack, &resource);
    let initialize = json!({"protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"}});
    let opened =
        Answer::of(post(&resource, &opener).json(&message("initialize", initialize))).await;
    assert_eq!(opened.headers["mcp-session-id"], "s1");
    let stranger = signed(&stack, &json!({"aud": resource, "sub": "eve"}));
    for (token, reached) in [(&opener, "s1"), (&stranger, "none-of-yours")] {
        let request = post(&resource, token).header("mcp-session-id", "s1");
        Answer::of(request.json(&message("ping", json!({})))).await;
        assert_eq!(server.last_header("/mcp", "mcp-session-id"), reached);
    }
}
