//! A server over stdin and stdout behind the gate.

mod calls;
mod children;
mod sessions;
mod wires;

use serde_json::{Value, json};
use tests::{
    programs::{
        client::Answer,
        mcp_client::{Session, message, post},
    },
    stack::{Stack, access_token::signed},
};

/// A token of this user for the gate at `resource`.
fn token_of(stack: &Stack, resource: &str, subject: &str) -> String {
    signed(stack, &json!({"aud": resource, "sub": subject}))
}

fn token(stack: &Stack, resource: &str) -> String {
    token_of(stack, resource, "nick")
}

/// A request of 2026-07-28 with this id, to send.
fn stateless(
    resource: &str,
    token: &str,
    id: &Value,
    (tool, arguments): (&str, Value),
) -> reqwest::RequestBuilder {
    let mut body = message(
        "tools/call",
        json!({"name": tool, "arguments": arguments, "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
            "progressToken": "mine",
        }}),
    );
    body["id"] = id.clone();
    post(resource, token)
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", tool)
        .json(&body)
}

/// Calls a tool without a session; the text that it answers with.
async fn called(resource: &str, token: &str, tool: &str, arguments: Value) -> String {
    let answer = Answer::of(stateless(resource, token, &json!(1), (tool, arguments))).await;
    text(&answer)
}

/// Calls a tool in a session; the text that it answers with.
async fn called_in(session: &Session, token: &str, tool: &str, arguments: Value) -> String {
    let params = json!({"name": tool, "arguments": arguments});
    text(&session.send(token, "tools/call", params).await)
}

fn text(answer: &Answer) -> String {
    let text = answer.json["result"]["content"][0]["text"].as_str();
    assert!(text.is_some(), "{} {}", answer.status, answer.json);
    text.unwrap_or_default().to_owned()
}

/// Opens a session, which nothing must refuse.
async fn open(resource: &str, token: &str) -> Session {
    Session::open(resource, token).await.map_err(|refused| refused.json).unwrap()
}
