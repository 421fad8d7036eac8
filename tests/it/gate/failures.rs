//! What a caller is told when the server behind the gate does not answer as it should.

use serde_json::{Value, json};
use tests::{
    programs::{
        client::Answer,
        mcp_client::{message, post},
    },
    servers::document_server::{Document, DocumentServer},
    stack::{Stack, access_token::signed, gate},
};

/// Asks the gate at `resource` with the id 1.
async fn ask(stack: &Stack, resource: &str) -> Answer {
    let token = signed(stack, &json!({"aud": resource}));
    Answer::of(post(resource, &token).json(&message("ping", json!({})))).await
}

fn reason(answer: &Answer) -> &Value {
    assert_eq!(answer.json["id"], 1, "{}", answer.json);
    assert!(answer.json["error"]["message"].is_string(), "{}", answer.json);
    &answer.json["error"]["data"]["reason"]
}

#[tokio::test]
async fn a_server_that_is_not_there_is_502_with_the_id_of_the_request_until_it_is_back() {
    let stack = Stack::start().await;
    let server = DocumentServer::start().await;
    let url = server.at("/mcp");
    drop(server);
    let resource = gate::start(&stack, &url, &[]).await;
    let answer = ask(&stack, &resource).await;
    assert_eq!((answer.status.as_u16(), reason(&answer)), (502, &json!("upstream_unreachable")));
    assert_eq!(answer.headers["retry-after"], "5");
    assert!(!answer.json.to_string().contains(&url), "strangers learn no inner address");
}

#[tokio::test]
async fn a_server_that_takes_too_long_is_504() {
    let stack = Stack::start().await;
    let server = DocumentServer::start().await;
    server.put("/mcp", Document { hangs: true, ..Document::status(200) });
    let resource = gate::start(&stack, &server.at("/mcp"), &["--answer-timeout", "0"]).await;
    let answer = ask(&stack, &resource).await;
    assert_eq!((answer.status.as_u16(), reason(&answer)), (504, &json!("upstream_too_slow")));
}

#[tokio::test]
async fn a_server_that_refuses_the_gate_sends_no_one_to_sign_in_again() {
    let stack = Stack::start().await;
    let server = DocumentServer::start().await;
    server.put("/mcp", Document::status(401).with("www-authenticate", "Bearer realm=\"x\""));
    let resource = gate::start(&stack, &server.at("/mcp"), &[]).await;
    let answer = ask(&stack, &resource).await;
    assert_eq!((answer.status.as_u16(), reason(&answer)), (502, &json!("upstream_refuses_gate")));
    assert!(!answer.headers.contains_key("www-authenticate"));
}

#[tokio::test]
async fn a_redirect_is_not_passed_on_because_only_the_gate_can_go_there() {
    let stack = Stack::start().await;
    let server = DocumentServer::start().await;
    for status in [301, 302, 307, 308] {
        server.put("/mcp", Document::status(status).with("location", "http://10.0.0.1/mcp/"));
        let resource = gate::start(&stack, &server.at("/mcp"), &[]).await;
        let answer = ask(&stack, &resource).await;
        assert_eq!((answer.status.as_u16(), reason(&answer)), (502, &json!("upstream_moved")));
        assert!(!answer.headers.contains_key("location"));
    }
}
