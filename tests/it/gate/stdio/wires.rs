//! Clients and servers of different revisions, and what the gate says where they cannot meet.

use serde_json::{Value, json};
use tests::{
    programs::{
        client::Answer,
        mcp_client::{Wire, message, post, send},
    },
    stack::{Stack, gate},
};

use super::{called, open, token};

#[tokio::test]
async fn a_server_over_stdin_and_stdout_is_called_on_both_wires() {
    let stack = Stack::start().await;
    for (of_gate, of_server) in
        [(&[][..], &[][..]), (&["--child", "shared"], &[]), (&[], &["--old"])]
    {
        let resource = gate::start_stdio(&stack, of_gate, of_server).await;
        let token = token(&stack, &resource);
        for wire in [Wire::V2025, Wire::V2026] {
            let params = json!({"name": "echo", "arguments": {"text": "ping pong ☃"}});
            let answer = send(&resource, wire, &token, "tools/call", params).await;
            let text = &answer.json["result"]["content"][0]["text"];
            assert_eq!(text, "ping pong ☃", "{wire:?} {of_gate:?} {}", answer.json);
        }
    }
}

#[tokio::test]
async fn an_older_server_looks_like_one_of_2026_07_28_as_far_as_it_can() {
    let stack = Stack::start().await;
    let resource = gate::start_stdio(&stack, &[], &[]).await;
    let token = token(&stack, &resource);
    let ask = async |method: &str, params: Value| {
        send(&resource, Wire::V2026, &token, method, params).await
    };
    let about = ask("server/discover", json!({})).await.json["result"].clone();
    assert_eq!(about["supportedVersions"], json!(["2026-07-28"]));
    assert_eq!(about["capabilities"], json!({"tools": {}, "resources": {}}));
    assert_eq!(
        (&about["instructions"], &about["resultType"]),
        (&json!("Echo."), &json!("complete"))
    );
    let list = ask("tools/list", json!({})).await.json["result"].clone();
    assert_eq!((&list["resultType"], &list["cacheScope"]), (&json!("complete"), &json!("private")));
    let missing = ask("resources/read", json!({"uri": "a:1"})).await;
    assert_eq!((missing.status.as_u16(), &missing.json["error"]["code"]), (200, &json!(-32602)));
    for method in ["ping", "logging/setLevel", "subscriptions/listen", "unknown/method"] {
        let refused = ask(method, json!({})).await;
        let code = &refused.json["error"]["code"];
        assert_eq!((refused.status.as_u16(), code), (404, &json!(-32601)), "{method}");
    }
    // What 2026-07-28 says in each request, the older server does not hear.
    let meta: Value =
        serde_json::from_str(&called(&resource, &token, "meta", json!({})).await).unwrap();
    let mut names: Vec<_> = meta.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["portcullis/identity", "progressToken"]);
}

#[tokio::test]
async fn a_server_of_2026_07_28_is_passed_as_it_is_and_older_clients_hear_what_it_speaks() {
    let stack = Stack::start().await;
    let resource = gate::start_stdio(&stack, &["--child", "shared"], &["--modern"]).await;
    let token = token(&stack, &resource);
    let about = send(&resource, Wire::V2026, &token, "server/discover", json!({})).await;
    assert_eq!(about.json["result"]["capabilities"]["tools"], json!({"listChanged": true}));
    let meta: Value =
        serde_json::from_str(&called(&resource, &token, "meta", json!({})).await).unwrap();
    assert_eq!(meta["io.modelcontextprotocol/protocolVersion"], "2026-07-28");
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"}});
    let refused = send(&resource, Wire::V2025, &token, "initialize", params).await;
    assert_eq!(refused.json["error"]["code"], -32022);
    assert_eq!(refused.json["error"]["data"]["supported"], json!(["2026-07-28"]));
    assert!(!refused.headers.contains_key("mcp-session-id"));
}

#[tokio::test]
async fn requests_without_sessions_say_the_same_in_headers_and_body() {
    let stack = Stack::start().await;
    let resource = gate::start_stdio(&stack, &[], &[]).await;
    let token = token(&stack, &resource);
    let version = "io.modelcontextprotocol/protocolVersion";
    let capabilities = "io.modelcontextprotocol/clientCapabilities";
    let right = json!({version: "2026-07-28", capabilities: {}});
    let headers = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "echo"),
    ];
    let ask = async |meta: &Value, headers: &[(&str, &str)]| {
        let params = json!({"name": "echo", "arguments": {"text": "hi"}, "_meta": meta});
        let mut request = post(&resource, &token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = Answer::of(request.json(&message("tools/call", params))).await;
        (answer.status.as_u16(), answer.json["error"]["code"].clone())
    };
    assert_eq!(ask(&right, &headers).await, (200, Value::Null));
    for left_out in 0..headers.len() {
        let mut fewer = headers.to_vec();
        fewer.remove(left_out);
        assert_eq!(ask(&right, &fewer).await, (400, json!(-32020)), "{left_out}");
    }
    assert_eq!(ask(&json!({capabilities: {}}), &headers).await, (400, json!(-32602)));
    assert_eq!(ask(&json!({version: "2026-07-28"}), &headers).await, (400, json!(-32602)));
    let mut future = headers;
    future[0].1 = "2027-01-01";
    let meta = json!({version: "2027-01-01", capabilities: {}});
    assert_eq!(ask(&meta, &future).await, (400, json!(-32022)));
}

#[tokio::test]
async fn a_session_needs_its_id_and_a_revision_that_has_sessions() {
    let stack = Stack::start().await;
    let resource = gate::start_stdio(&stack, &[], &[]).await;
    let token = token(&stack, &resource);
    let session = open(&resource, &token).await;
    let ping = message("ping", json!({}));
    let send = async |id: &str, version: &str| {
        let mut request = post(&resource, &token).header("mcp-protocol-version", version);
        if !id.is_empty() {
            request = request.header("mcp-session-id", id);
        }
        Answer::of(request.json(&ping)).await.status.as_u16()
    };
    assert_eq!(send("", "2025-11-25").await, 400);
    assert_eq!(send("unknown", "2025-11-25").await, 404);
    assert_eq!(send(&session.id, "1999-01-01").await, 400);
    assert_eq!(send(&session.id, "2025-11-25").await, 200);
}
