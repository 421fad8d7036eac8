//! The model server: each feature of the protocol, through the guard.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    programs::{
        client::Answer,
        mcp_client::{Session, Wire, call, message, next_message, post, send, text},
    },
    stack::{Stack, access_token::signed},
};

/// What a client of 2026 says of itself when it can do all this.
fn able() -> Value {
    json!({"io.modelcontextprotocol/clientCapabilities": {
        "elicitation": {"form": {}, "url": {}},
        "extensions": {"io.modelcontextprotocol/tasks": {}}}})
}

async fn call_again(stack: &Stack, token: &str, tool: &str, more: Value) -> Answer {
    let mut params = json!({"name": tool, "arguments": {"restaurant": "Nell's"}, "_meta": able()});
    for (name, value) in more.as_object().unwrap() {
        params[name] = value.clone();
    }
    send(&stack.resource, Wire::V2026, token, "tools/call", params).await
}

async fn read(stack: &Stack, token: &str, uri: &str) -> Answer {
    send(&stack.resource, Wire::V2026, token, "resources/read", json!({"uri": uri})).await
}

fn contents(answer: &Answer) -> &str {
    answer.json["result"]["contents"][0]["text"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_tool_with_a_scope_of_its_own_is_listed_and_asks_for_a_step_up() {
    let stack = Stack::start().await;
    let basic = signed(&stack, &json!({}));
    for wire in [Wire::V2025, Wire::V2026] {
        let listed = send(&stack.resource, wire, &basic, "tools/list", json!({})).await;
        assert!(listed.json["result"]["tools"].to_string().contains("add_note"));
        let refused = call(&stack.resource, wire, &basic, "add_note", json!({"text": "a"})).await;
        assert_eq!(refused.status, 403, "{wire:?}");
        let challenge = refused.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains("scope=\"mcp:tools notes:write\""), "{challenge}");
    }
    let stepped_up = signed(&stack, &json!({"scope": "mcp:tools profile email notes:write"}));
    for (wire, note) in [(Wire::V2025, "first"), (Wire::V2026, "second")] {
        let kept = call(&stack.resource, wire, &stepped_up, "add_note", json!({"text": note}));
        assert_eq!(kept.await.status, 200);
    }
    assert_eq!(contents(&read(&stack, &basic, "notes://mine").await), "first\nsecond");
    assert_eq!(contents(&read(&stack, &basic, "notes://mine/2").await), "second");
    let other = signed(&stack, &json!({"sub": "eve"}));
    assert_eq!(contents(&read(&stack, &other, "notes://mine").await), "");
}

#[tokio::test]
async fn a_scope_brings_those_below_it() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({"scope": "notes:write"}));
    let answer = call(&stack.resource, Wire::V2026, &token, "whoami", json!({})).await;
    assert_eq!(
        answer.json["result"]["structuredContent"]["scopes"],
        json!(["notes:write", "mcp:tools"])
    );
}

#[tokio::test]
async fn a_list_shows_what_the_caller_may_see_and_is_private() {
    let stack = Stack::start().await;
    for (scope, sees) in [("mcp:tools", false), ("mcp:tools profile", true)] {
        let token = signed(&stack, &json!({"scope": scope}));
        let params = || json!({});
        let list = send(&stack.resource, Wire::V2026, &token, "resources/list", params()).await;
        let result = &list.json["result"];
        assert_eq!(result["resources"].to_string().contains("profile://me"), sees, "{scope}");
        assert_eq!((&result["cacheScope"], &result["ttlMs"]), (&json!("private"), &json!(60_000)));
        assert_eq!(read(&stack, &token, "profile://me").await.status == 200, sees);
        assert_eq!(read(&stack, &token, "profile://me/name").await.status == 200, sees);
    }
}

#[tokio::test]
async fn the_profile_is_the_caller_s() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({"email": "nick@example.com"}));
    let answer = read(&stack, &token, "profile://me").await;
    let profile: Value = serde_json::from_str(contents(&answer)).unwrap();
    let expected = json!({"sub": "nick", "iss": stack.issuer, "name": "Nick Lucas",
        "email": "nick@example.com"});
    assert_eq!(profile, expected);
    assert_eq!(answer.json["result"]["cacheScope"], "private");
    let unknown = read(&stack, &token, "profile://me/nothing").await;
    assert_eq!(unknown.json["error"]["data"]["uri"], "profile://me/nothing");
}

#[tokio::test]
async fn on_the_wire_of_2026_a_tool_asks_by_its_answer_and_knows_its_own_state() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({}));
    let first = call_again(&stack, &token, "book_table", json!({})).await;
    assert_eq!(first.json["result"]["resultType"], "input_required", "{}", first.json);
    let state = first.json["result"]["requestState"].clone();
    let answers =
        json!({"details": {"action": "accept", "content": {"people": 3, "time": "20:00"}}});
    let second = json!({"requestState": state, "inputResponses": answers});

    let booked = call_again(&stack, &token, "book_table", second.clone()).await;
    assert_eq!(text(&booked), "A table for 3 at Nell's, at 20:00.", "{}", booked.json);
    for stranger in [json!({"sub": "eve"}), json!({"client_id": "other"})] {
        let token = signed(&stack, &stranger);
        let refused = call_again(&stack, &token, "book_table", second.clone()).await;
        assert_eq!(refused.json["error"]["code"], -32602, "{stranger}");
    }
    let mut tampered = second;
    tampered["requestState"] = format!("{}x", tampered["requestState"].as_str().unwrap()).into();
    let refused = call_again(&stack, &token, "book_table", tampered).await;
    assert_eq!(refused.json["error"]["code"], -32602);
}

#[tokio::test]
async fn on_an_older_wire_a_tool_asks_in_its_session() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({}));
    let session = Session::open(&stack.resource, &token).await.unwrap();
    let params = json!({"name": "book_table", "arguments": {"restaurant": "Nell's"}});
    let request = session.request(Method::POST, &token).json(&message("tools/call", params));
    let mut stream = request.send().await.unwrap();
    let mut buffer = String::new();
    let question = next_message(&mut stream, &mut buffer).await;
    assert_eq!(question["method"], "elicitation/create");
    let answer = json!({"jsonrpc": "2.0", "id": question["id"],
        "result": {"action": "accept", "content": {"people": 2, "time": "19:30"}}});
    Answer::of(session.request(Method::POST, &token).json(&answer)).await;
    let result = next_message(&mut stream, &mut buffer).await;
    assert_eq!(result["result"]["content"][0]["text"], "A table for 2 at Nell's, at 19:30.");
}

#[tokio::test]
async fn a_page_to_visit_is_named_on_both_wires() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({}));
    let page = format!("{}/account", stack.issuer);
    let asked = call_again(&stack, &token, "review_access", json!({})).await;
    let question = &asked.json["result"]["inputRequests"]["visit"]["params"];
    assert_eq!((&question["mode"], &question["url"]), (&json!("url"), &json!(page)));
    let visited = json!({"inputResponses": {"visit": {"action": "accept"}}});
    let done = call_again(&stack, &token, "review_access", visited).await;
    assert_eq!(text(&done), "The page was opened.");

    let refused = call(&stack.resource, Wire::V2025, &token, "review_access", json!({})).await;
    assert_eq!(refused.json["error"]["code"], -32042);
    assert_eq!(refused.json["error"]["data"]["elicitations"][0]["url"], page);
}

#[tokio::test]
async fn a_task_is_its_starter_s_and_does_not_exist_for_anyone_else() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({}));
    let slow = json!({"arguments": {"seconds": 30}});
    let started = call_again(&stack, &token, "write_report", slow).await;
    let id = started.json["result"]["taskId"].clone();
    let act = async |token: &str, method: &str| {
        let params = json!({"taskId": id, "_meta": able()});
        send(&stack.resource, Wire::V2026, token, method, params).await.json
    };
    assert_eq!(act(&token, "tasks/get").await["result"]["status"], "working", "{}", started.json);
    for stranger in [json!({"sub": "eve"}), json!({"client_id": "other"})] {
        let stranger = signed(&stack, &stranger);
        for method in ["tasks/get", "tasks/cancel"] {
            assert_eq!(act(&stranger, method).await["error"]["code"], -32602, "{method}");
        }
    }
    act(&token, "tasks/cancel").await;
    let mut status = json!("working");
    while status == "working" {
        status = act(&token, "tasks/get").await["result"]["status"].clone();
    }
    assert_eq!(status, "cancelled");
}

#[tokio::test]
async fn a_long_call_reports_progress_to_who_asked_for_it() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({}));
    let session = Session::open(&stack.resource, &token).await.unwrap();
    let params = json!({"name": "count_down", "arguments": {"from": 3, "pause": 1},
        "_meta": {"progressToken": "p"}});
    let request = session.request(Method::POST, &token).json(&message("tools/call", params));
    let mut stream = request.send().await.unwrap();
    let mut buffer = String::new();
    for step in 1..=3 {
        let progress = next_message(&mut stream, &mut buffer).await;
        assert_eq!(progress["params"]["progressToken"], "p");
        assert_eq!(progress["params"]["progress"].as_f64(), Some(f64::from(step)));
    }
    let result = next_message(&mut stream, &mut buffer).await;
    assert_eq!(result["result"]["content"][0]["text"], "Counted down from 3.");
}

#[tokio::test]
async fn a_call_under_way_is_answered_although_its_token_expires() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({}));
    let session = Session::open(&stack.resource, &token).await.unwrap();
    let params = json!({"name": "count_down", "arguments": {"from": 20, "pause": 100},
        "_meta": {"progressToken": "p"}});
    let request = session.request(Method::POST, &token).json(&message("tools/call", params));
    let mut stream = request.send().await.unwrap();
    let mut buffer = String::new();
    next_message(&mut stream, &mut buffer).await;
    stack.advance(700);
    let mut last = Value::Null;
    loop {
        match next_message(&mut stream, &mut buffer).await {
            Value::Null => break,
            message => last = message,
        }
    }
    assert_eq!(last["result"]["content"][0]["text"], "Counted down from 20.");
}

#[tokio::test]
async fn a_long_call_stops_when_it_is_cancelled() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({}));
    let session = Session::open(&stack.resource, &token).await.unwrap();
    let params = json!({"name": "count_down", "arguments": {"from": 100, "pause": 1000},
        "_meta": {"progressToken": "p"}});
    let request = session.request(Method::POST, &token).json(&message("tools/call", params));
    let mut stream = request.send().await.unwrap();
    let mut buffer = String::new();
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled",
        "params": {"requestId": 1}});
    Answer::of(session.request(Method::POST, &token).json(&cancel)).await;
    // At a second a step it would outlast the client's time-out, which fails this test.
    while next_message(&mut stream, &mut buffer).await != Value::Null {}
}

#[tokio::test]
async fn a_prompt_is_made_for_the_caller_and_its_argument_is_completed() {
    let stack = Stack::start().await;
    let token = signed(&stack, &json!({}));
    let params = json!({"name": "introduce", "arguments": {"tone": "formal"}});
    let prompt = send(&stack.resource, Wire::V2026, &token, "prompts/get", params).await;
    let words = prompt.json["result"]["messages"][0]["content"]["text"].as_str().unwrap();
    assert!(words.contains("Nick Lucas") && words.contains("formal"), "{words}");

    let params = json!({"ref": {"type": "ref/prompt", "name": "introduce"},
        "argument": {"name": "tone", "value": "f"}});
    let complete = async |token: &str| {
        send(&stack.resource, Wire::V2026, token, "completion/complete", params.clone()).await
    };
    let completed = complete(&token).await;
    let values = &completed.json["result"]["completion"]["values"];
    assert_eq!(*values, json!(["formal", "friendly", "funny"]), "{}", completed.json);
    let without = signed(&stack, &json!({"scope": "mcp:tools"}));
    assert_eq!(complete(&without).await.status, 403);
}

#[tokio::test]
async fn who_subscribed_hears_of_a_note_and_nobody_else_does() {
    let stack = Stack::start().await;
    let listen = async |token: &str| {
        let mut params = json!({"notifications": {"resourceSubscriptions": ["notes://mine"]}});
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {}});
        let request = post(&stack.resource, token)
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "subscriptions/listen");
        request.json(&message("subscriptions/listen", params)).send().await.unwrap()
    };
    let write = json!({"scope": "mcp:tools notes:write"});
    let token = signed(&stack, &write);
    let other = signed(&stack, &json!({"sub": "eve", "scope": "mcp:tools notes:write"}));
    let mut mine = listen(&token).await;
    let mut theirs = listen(&other).await;
    let mut buffer = String::new();
    let mut their_buffer = String::new();
    let established = next_message(&mut mine, &mut buffer).await;
    assert!(established["method"].as_str().unwrap().contains("acknowledged"), "{established}");
    next_message(&mut theirs, &mut their_buffer).await;

    for (who, note) in [(&token, "mine"), (&other, "theirs")] {
        call(&stack.resource, Wire::V2026, who, "add_note", json!({"text": note})).await;
    }
    for (stream, buffer) in [(&mut mine, &mut buffer), (&mut theirs, &mut their_buffer)] {
        let update = next_message(stream, buffer).await;
        assert_eq!(update["method"], "notifications/resources/updated");
        assert_eq!(update["params"]["uri"], "notes://mine");
        assert!(!buffer.contains("resources/updated"), "told of another user's note");
    }
}
