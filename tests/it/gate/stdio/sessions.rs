//! Sessions with a child of their own: what the server asks of its client, and what it announces.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    programs::{
        client::Answer,
        mcp_client::{Session, message, next_message},
    },
    stack::{Stack, gate},
};

use super::{called_in, open, token, token_of};

fn ask(session: &Session, token: &str, method: &str) -> reqwest::RequestBuilder {
    let params =
        json!({"name": "ask", "arguments": {"method": method, "params": {"message": "?"}}});
    session.request(Method::POST, token).json(&message("tools/call", params))
}

#[tokio::test]
async fn a_server_asks_the_client_of_its_session_and_gets_the_answer() {
    let stack = Stack::start().await;
    let resource = gate::start_stdio(&stack, &[], &[]).await;
    let token = token(&stack, &resource);
    let session = open(&resource, &token).await;
    let stranger = open(&resource, &token).await;
    for method in ["elicitation/create", "sampling/createMessage", "roots/list"] {
        let mut waiting = ask(&session, &token, method).send().await.unwrap();
        let mut buffer = String::new();
        let asked = next_message(&mut waiting, &mut buffer).await;
        assert_eq!((&asked["method"], &asked["params"]["message"]), (&json!(method), &json!("?")));
        let answer = json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"for": method}});
        // Whom the server has not asked cannot answer.
        for from in [&stranger, &session] {
            Answer::of(from.request(Method::POST, &token).json(&answer)).await;
        }
        let result = next_message(&mut waiting, &mut buffer).await;
        let text = result["result"]["content"][0]["text"].as_str().unwrap();
        assert_eq!(serde_json::from_str::<Value>(text).unwrap(), json!({"for": method}));
    }
}

#[tokio::test]
async fn a_shared_server_cannot_ask_because_it_cannot_say_whose_call_it_is_for() {
    let stack = Stack::start().await;
    let resource = gate::start_stdio(&stack, &["--child", "shared"], &[]).await;
    let token = token(&stack, &resource);
    let session = open(&resource, &token).await;
    let params = json!({"name": "ask", "arguments": {"method": "roots/list"}});
    let answer = super::text(&session.send(&token, "tools/call", params).await);
    assert_eq!(serde_json::from_str::<Value>(&answer).unwrap()["code"], -32601);
    let level = session.send(&token, "logging/setLevel", json!({"level": "debug"})).await;
    assert_eq!(level.json["error"]["code"], -32601);
}

#[tokio::test]
async fn changes_are_announced_to_those_whom_they_concern() {
    let stack = Stack::start().await;
    let resource = gate::start_stdio(&stack, &["--child", "shared"], &[]).await;
    let [nick, eve] = ["nick", "eve"].map(|name| token_of(&stack, &resource, name));
    let (subscriber, other) = (open(&resource, &nick).await, open(&resource, &eve).await);
    let mut streams = Vec::new();
    for (session, token) in [(&subscriber, &nick), (&other, &eve)] {
        streams.push(session.request(Method::GET, token).send().await.unwrap());
    }
    subscriber.send(&nick, "resources/subscribe", json!({"uri": "a:1"})).await;
    let announce = async |method: &str, params: Value| {
        let arguments = json!({"method": method, "params": params});
        called_in(&other, &eve, "announce", arguments).await;
    };
    announce("notifications/message", json!({"data": "of someone's call"})).await;
    announce("notifications/resources/updated", json!({"uri": "a:1"})).await;
    announce("notifications/tools/list_changed", json!({})).await;
    let expected = [
        &["notifications/resources/updated", "notifications/tools/list_changed"][..],
        &["notifications/tools/list_changed"],
    ];
    for (stream, expected) in streams.iter_mut().zip(expected) {
        let mut buffer = String::new();
        for method in expected {
            assert_eq!(next_message(stream, &mut buffer).await["method"], *method);
        }
    }
}

#[tokio::test]
async fn an_announcement_takes_the_stream_of_the_call_and_a_session_ends_when_deleted() {
    let stack = Stack::start().await;
    let resource = gate::start_stdio(&stack, &[], &[]).await;
    let token = token(&stack, &resource);
    let session = open(&resource, &token).await;
    // The client does not listen yet, so it comes before the answer.
    let arguments = json!({"method": "notifications/tools/list_changed", "params": {}});
    let params = json!({"name": "announce", "arguments": arguments});
    let request = session.request(Method::POST, &token).json(&message("tools/call", params));
    let mut answer = request.send().await.unwrap();
    let first = next_message(&mut answer, &mut String::new()).await;
    assert_eq!(first["method"], "notifications/tools/list_changed");
    let mut stream = session.request(Method::GET, &token).send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let ended = session.request(Method::DELETE, &token).send().await.unwrap();
    assert_eq!(ended.status(), 204);
    assert_eq!(next_message(&mut stream, &mut String::new()).await, Value::Null);
    assert_eq!(session.send(&token, "ping", json!({})).await.status, 404);
}
