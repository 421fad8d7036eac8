//! Bodies and what they ask for.

use serde_json::{Value, json};

use super::*;

fn asked(body: &str) -> Asked<'_> {
    Asked::parse(body.as_bytes()).unwrap()
}

fn read(body: &str) -> Operation<'_> {
    asked(body).operation
}

/// The code and the text that a request with `params` is refused with.
fn refusal(method: &str, params: &Value) -> Option<(i32, String)> {
    let body = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
    match asked(&body.to_string()).check(&HeaderMap::new()) {
        Err(Refusal::InvalidMessage { code, id, why }) => {
            assert_eq!(id, Some(json!(7)));
            Some((code.0, why))
        }
        Err(error) => panic!("{error}"),
        Ok(()) => None,
    }
}

#[test]
fn an_operation_is_known_by_its_method_and_the_name_of_its_object() {
    let tool = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"}}"#;
    assert_eq!(read(tool), Operation::Tool("echo".into()));
    let escaped = r#"{"method":"tools\/call","params":{"name":"\u0065cho"}}"#;
    assert_eq!(read(escaped), Operation::Tool("echo".into()));
    let listen = r#"{"method":"subscriptions/listen",
        "params":{"notifications":{"resourceSubscriptions":["a:b"]}}}"#;
    assert_eq!(read(listen), Operation::Listen(vec!["a:b".into()]));
    for open in ["initialize", "tools/list", "ping", "tasks/get", "notifications/cancelled"] {
        let body = format!(r#"{{"method":"{open}","params":{{"taskId":"t"}}}}"#);
        assert_eq!(read(&body), Operation::Open, "{open}");
    }
    assert_eq!(read(r#"{"id":1,"result":{}}"#), Operation::Open);
}

#[test]
fn what_is_not_known_needs_the_basic_scopes() {
    for body in [
        r#"{"method":"tools/call"}"#,
        r#"{"method":"tools/call","params":{"name":7}}"#,
        r#"{"method":"tools/call","params":["echo"]}"#,
        r#"{"method":"tools/Call","params":{"name":"echo"}}"#,
        r#"{"method":"anything/else"}"#,
    ] {
        assert_eq!(read(body), Operation::Other, "{body}");
    }
}

#[test]
fn the_type_of_a_reference_decides_and_one_of_both_kinds_is_refused() {
    let complete = |reference: Value| {
        json!({"method": "completion/complete", "params": {"ref": reference,
            "argument": {"name": "x", "value": ""}}})
        .to_string()
    };
    let prompt = json!({"type": "ref/prompt", "name": "p", "title": "P"});
    assert_eq!(read(&complete(prompt)), Operation::Prompt("p".into()));
    let resource = json!({"type": "ref/resource", "uri": "a:b"});
    assert_eq!(read(&complete(resource)), Operation::Resources(vec!["a:b".into()]));
    for reference in [
        json!({"type": "ref/resource", "uri": "a:b", "name": "p"}),
        json!({"type": "ref/prompt", "uri": "a:b", "name": "p"}),
        json!({"type": "ref/resource", "name": "p"}),
        json!({"type": "ref/prompt", "uri": "a:b"}),
        json!({"type": "ref/prompt", "name": "p", "uri": 7}),
        json!({"type": "ref/Prompt", "name": "p"}),
        json!({"type": "ref/prompt", "name": "p", "Name": "q"}),
        json!({"name": "p"}),
        json!({"type": 7, "name": "p"}),
        json!("ref/prompt"),
    ] {
        let body = complete(reference.clone());
        let asked = asked(&body);
        assert_eq!(asked.operation, Operation::Other, "{reference}");
        assert!(asked.check(&HeaderMap::new()).is_err(), "{reference}");
    }
}

#[test]
fn parameters_of_a_wrong_type_are_invalid_and_the_answer_has_the_id() {
    let name = json!("echo");
    for (method, params) in [
        ("tools/call", json!([])),
        ("tools/call", json!("echo")),
        ("tools/call", json!({})),
        ("tools/call", json!({"name": 7})),
        ("tools/call", json!({"name": null})),
        ("tools/call", json!({"name": name, "arguments": []})),
        ("tools/call", json!({"name": name, "arguments": "text"})),
        ("tools/call", json!({"name": name, "_meta": 7})),
        ("tools/call", json!({"name": name, "requestState": {}})),
        ("tools/list", json!([])),
        ("tools/list", json!({"cursor": 7})),
        ("prompts/get", json!({"name": name, "arguments": 7})),
        ("resources/read", json!({"uri": ["a:b"]})),
        ("resources/subscribe", json!({"uri": 7})),
        ("logging/setLevel", json!({"level": 7})),
        ("tasks/get", json!({"taskId": 7})),
        ("completion/complete", json!({"ref": {"type": "ref/prompt", "name": "p"}})),
        ("subscriptions/listen", json!({"notifications": {"resourceSubscriptions": ["a", 7]}})),
        ("subscriptions/listen", json!({"notifications": {"ResourceSubscriptions": ["a"]}})),
        ("ping", json!(7)),
        ("anything/else", json!([1])),
    ] {
        let code = refusal(method, &params).map(|(code, _)| code);
        assert_eq!(code, Some(-32602), "{method} {params}");
    }
    for (method, params) in [
        ("tools/call", json!({"name": name})),
        ("tools/call", json!({"name": name, "arguments": null, "_meta": null})),
        ("tools/list", Value::Null),
        ("anything/else", json!({"name": 7, "uri": []})),
        // Removed in 2026-07-28: the server says that it has no such method.
        ("resources/subscribe", json!({})),
        ("resources/unsubscribe", Value::Null),
        ("logging/setLevel", json!({})),
        ("notifications/message", json!({"level": 7})),
    ] {
        assert_eq!(refusal(method, &params), None, "{method} {params}");
    }
    let (_, why) = refusal("tools/call", &json!({"name": "x", "arguments": 1})).unwrap();
    assert_eq!(why, "params.arguments must be an object");
}

#[test]
fn a_parameter_that_differs_from_a_known_one_in_case_is_refused() {
    for params in [
        json!({"name": "a", "Name": "b"}),
        json!({"NAME": "b"}),
        json!({"name": "a", "Arguments": {}}),
    ] {
        let body = json!({"id": 1, "method": "tools/call", "params": params}).to_string();
        assert_eq!(Asked::parse(body.as_bytes()).map(|_| ()), Err(Refusal::Unreadable));
    }
}

#[test]
fn a_header_that_says_something_else_than_the_body_is_refused() {
    let with = |body: &str, name: &'static str, value: &'static str| {
        let headers = HeaderMap::from_iter([(
            axum::http::HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )]);
        asked(body).check(&headers).map_err(|error| match error {
            Refusal::InvalidMessage { code, .. } => code.0,
            _ => 0,
        })
    };
    let call = r#"{"id":1,"method":"tools/call","params":{"name":"echo"}}"#;
    assert_eq!(with(call, "mcp-method", "tools/call"), Ok(()));
    assert_eq!(with(call, "mcp-name", "echo"), Ok(()));
    assert_eq!(with(call, "mcp-name", "=?base64?ZWNobw==?="), Ok(()));
    for (name, value) in [
        ("mcp-method", "tools/list"),
        ("mcp-method", "Tools/Call"),
        ("mcp-name", "whoami"),
        ("mcp-name", "Echo"),
        ("mcp-name", ""),
        ("mcp-name", "=?base64?d2hvYW1p?="),
        ("mcp-name", "=?base64?!?="),
    ] {
        assert_eq!(with(call, name, value), Err(-32020), "{name}: {value}");
    }
    let task = r#"{"id":1,"method":"tasks/get","params":{"taskId":"t"}}"#;
    assert_eq!(with(task, "mcp-name", "u"), Err(-32020));
    assert_eq!(with(r#"{"id":1,"method":"tools/list"}"#, "mcp-name", "echo"), Ok(()));
    assert_eq!(with(r#"{"id":1,"result":{}}"#, "mcp-method", "x"), Ok(()));
}
