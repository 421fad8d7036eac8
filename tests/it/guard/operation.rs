//! What is checked is what runs: no header and no second reading of the body can differ from it.

use serde_json::json;
use tests::{
    access_token::signed,
    client::Answer,
    mcp_client::{Session, Wire, call, post},
    stack::Stack,
};

#[tokio::test]
async fn on_older_wires_a_header_that_lies_about_the_tool_changes_nothing() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({"scope": "mcp:tools"}));
    let session = Session::open(&stack.resource, &token).await.unwrap();
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "echo", "arguments": {"message": "x"}}});
    let request = session
        .request(reqwest::Method::POST, &token)
        .header("mcp-method", "tools/call")
        .header("mcp-name", "whoami")
        .json(&message);
    assert_eq!(Answer::of(request).await.status, 403);
}

#[tokio::test]
async fn on_the_wire_of_2026_header_and_body_must_agree() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({}));
    let params = json!({"name": "echo", "arguments": {"message": "x"}, "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {}}});
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    for (method, name) in [("tools/call", "whoami"), ("tools/list", "echo")] {
        let request = post(&stack.resource, &token)
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", method)
            .header("mcp-name", name);
        let answer = Answer::of(request.json(&message)).await;
        assert_eq!((answer.status.as_u16(), &answer.json["error"]["code"]), (400, &json!(-32020)));
    }
}

#[tokio::test]
async fn a_body_that_two_readers_could_understand_differently_is_refused() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({}));
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami","name":"echo"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"echo"}}"#,
        r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#,
        "{",
    ] {
        let answer = Answer::of(post(&stack.resource, &token).body(body)).await;
        assert_eq!((answer.status.as_u16(), &answer.json["error"]["code"]), (400, &json!(-32700)));
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_not_read() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({}));
    let body = "x".repeat((4 << 20) + 1);
    assert_eq!(Answer::of(post(&stack.resource, &token).body(body)).await.status, 413);
}

#[tokio::test]
async fn a_scope_is_compared_as_a_whole_and_with_its_case() {
    let stack = Stack::start().await;
    for scope in ["mcp:toolsX", "MCP:TOOLS PROFILE", "mcp:tools,profile", "mcp:tools\tprofile"] {
        let token = signed(&stack, &json!({"scope": scope}));
        let answer = call(&stack.resource, Wire::V2026, &token, "whoami", json!({})).await;
        assert_eq!(answer.status, 403, "{scope}");
    }
}

#[tokio::test]
async fn scopes_are_checked_before_arguments_are_read() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({"scope": "mcp:tools"}));
    let nonsense = json!({"message": {"not": "a string"}});
    let answer = call(&stack.resource, Wire::V2026, &token, "echo", nonsense).await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn a_tool_that_nobody_declared_needs_the_basic_scopes() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({"scope": "mcp:tools"}));
    let answer = call(&stack.resource, Wire::V2026, &token, "no-such-tool", json!({})).await;
    assert_eq!(answer.status, 403);
    let challenge = answer.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("scope=\"mcp:tools profile email\""), "{challenge}");
}
