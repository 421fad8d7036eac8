//! What is checked is what runs: no header and no second reading of the body can differ from it.

use serde_json::{Value, json};
use tests::{
    programs::{
        client::Answer,
        mcp_client::{Session, Wire, call, message, post, send},
    },
    stack::{Stack, access_token::signed},
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
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami","NAME":"echo"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","method\u0000":"tools/call"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name\u0000":"echo"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","result":{},"params":{"name":"echo"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":null,"params":{"name":"echo"}}"#,
        "{",
    ] {
        let answer = Answer::of(post(&stack.resource, &token).body(body)).await;
        assert_eq!((answer.status.as_u16(), &answer.json["error"]["code"]), (400, &json!(-32700)));
    }
}

#[tokio::test]
async fn parameters_of_a_wrong_type_are_invalid_params_of_that_request() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({}));
    for (method, params) in [
        ("tools/call", json!([])),
        ("tools/list", json!([])),
        ("tools/call", json!({"name": "echo", "arguments": "ping"})),
        ("tools/call", json!({"name": "echo", "arguments": []})),
        ("tools/call", json!({"name": ["echo"]})),
        ("prompts/get", json!({"name": "introduce", "arguments": 7})),
        ("resources/read", json!({"uri": 7})),
    ] {
        for id in [json!(7), json!("seven")] {
            let body = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
            let answer = Answer::of(post(&stack.resource, &token).json(&body)).await;
            assert_eq!(answer.status, 200, "{body}");
            let outcome = (&answer.json["id"], &answer.json["error"]["code"]);
            assert_eq!(outcome, (&id, &json!(-32602)), "{body}");
        }
    }
    // A caller without access to the tool learns nothing about its parameters.
    let poor = signed(&stack, &json!({"scope": "mcp:tools"}));
    let nonsense = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "echo", "arguments": 7}});
    assert_eq!(Answer::of(post(&stack.resource, &poor).json(&nonsense)).await.status, 403);
}

#[tokio::test]
async fn a_completion_is_judged_as_what_it_completes() {
    let stack = Stack::start().await;
    let complete = async |scope: &str, reference: Value| {
        let token = signed(&stack, &json!({"scope": scope}));
        let params = json!({"ref": reference, "argument": {"name": "claim", "value": ""}});
        send(&stack.resource, Wire::V2026, &token, "completion/complete", params).await
    };
    let template = "profile://me/{claim}";
    let resource = json!({"type": "ref/resource", "uri": template});
    assert_eq!(complete("mcp:tools", resource.clone()).await.status, 403);
    let answer = complete("profile", resource).await;
    assert!(answer.json["result"]["completion"].is_object(), "{}", answer.json);
    // The scopes of one kind never open the other.
    for reference in [
        json!({"type": "ref/resource", "uri": template, "name": "introduce"}),
        json!({"type": "ref/prompt", "uri": template, "name": "introduce"}),
    ] {
        let answer = complete("mcp:tools profile email", reference.clone()).await;
        assert_eq!(answer.json["error"]["code"], -32602, "{reference}");
        assert_eq!(
            complete("mcp:tools profile", reference.clone()).await.status,
            403,
            "{reference}"
        );
    }
}

#[tokio::test]
async fn on_every_wire_a_header_that_says_something_else_is_refused() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({}));
    let session = Session::open(&stack.resource, &token).await.unwrap();
    let body = message("tools/call", json!({"name": "echo", "arguments": {"message": "x"}}));
    for (name, value) in
        [("mcp-method", "tools/list"), ("mcp-name", "whoami"), ("mcp-name", "ECHO")]
    {
        let request = session.request(reqwest::Method::POST, &token).header(name, value);
        let answer = Answer::of(request.json(&body)).await;
        assert_eq!((answer.status.as_u16(), &answer.json["error"]["code"]), (400, &json!(-32020)));
        assert_eq!(answer.json["id"], 1);
    }
    let agreeing = session
        .request(reqwest::Method::POST, &token)
        .header("mcp-method", "tools/call")
        .header("mcp-name", "=?base64?ZWNobw==?=");
    assert_eq!(Answer::of(agreeing.json(&body)).await.status, 200);
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
async fn an_undeclared_tool_needs_the_basic_scopes() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({"scope": "mcp:tools"}));
    let answer = call(&stack.resource, Wire::V2026, &token, "no-such-tool", json!({})).await;
    assert_eq!(answer.status, 403);
    let challenge = answer.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("scope=\"mcp:tools profile email\""), "{challenge}");
}
