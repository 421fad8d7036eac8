//! What the client makes of MCP servers whose answers are odd, and what it says about wrong ones.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{
    programs::command_line::{CommandLine, Outcome},
    servers::{
        document_server::{Document, DocumentServer},
        open_server::OpenServer,
    },
};

fn tools() -> (&'static str, Value) {
    ("tools/list", json!({"tools": [{"name": "ping", "inputSchema": {"type": "object"}}]}))
}

fn pong() -> Value {
    json!({"content": [{"type": "text", "text": "pong"}]})
}

fn json_text(body: &str) -> Document {
    Document::status(200).with("content-type", "application/json").saying(body.to_owned())
}

fn events(body: &str) -> Document {
    Document::status(200).with("content-type", "text/event-stream").saying(body.to_owned())
}

/// Calls `ping` where that is answered with `document`.
async fn call(document: Document) -> Outcome {
    call_with(document, &[]).await
}

async fn call_with(document: Document, options: &[&str]) -> Outcome {
    let server = OpenServer::start_odd(&[tools()], &[("tools/call", document)]).await;
    let arguments = [options, &["call", "ping"]].concat();
    let person = CommandLine::of(&server.url, "");
    // No request waits without a limit.
    tokio::time::timeout(Duration::from_secs(60), person.run(&arguments)).await.unwrap()
}

#[tokio::test]
async fn no_address_in_a_schema_is_fetched() {
    let elsewhere = DocumentServer::start().await;
    elsewhere.put("/schema", Document::json(&json!({"type": "integer"})));
    let there = json!({"$ref": elsewhere.at("/schema")});
    let input = json!({"$schema": elsewhere.at("/schema"), "type": "object", "allOf": [there],
        "properties": {"a": there, "b": {"type": "integer"}}});
    let output = json!({"type": "object", "properties": {"c": there}});
    let ping = json!({"name": "ping", "inputSchema": input, "outputSchema": output});
    let mut result = pong();
    result["structuredContent"] = json!({"c": 1});
    let answers = [("tools/list", json!({"tools": [ping]})), ("tools/call", result)];
    let server = OpenServer::start(&answers).await;
    let person = CommandLine::of(&server.url, "");
    for arguments in [&["tools"][..], &["tools", "ping"], &["call", "ping", "a=1", "b=2"]] {
        let outcome = person.run(arguments).await;
        assert_eq!(outcome.code, 0, "{arguments:?}: {}", outcome.stderr);
    }
    assert_eq!(elsewhere.hits("/schema"), 0);
}

#[tokio::test]
async fn an_error_without_the_right_id_answers_the_request() {
    let error = r#""error":{"code":-32600,"message":"Bad request"}"#;
    for id in [r#","id":null"#, "", r#","id":"server-error""#, r#","id":999"#, r#","id":ID"#] {
        let body = format!(r#"{{"jsonrpc":"2.0",{error}{id}}}"#);
        for status in [200, 400, 500] {
            let outcome = call(Document { status, ..json_text(&body) }).await;
            let said = "answered with error -32600: Bad request";
            assert!(outcome.stderr.contains(said), "{status} {id}: {}", outcome.stderr);
        }
        if !id.contains("999") {
            let outcome = call(events(&format!("data: {body}\n\n"))).await;
            assert!(outcome.stderr.contains("Bad request"), "{id}: {}", outcome.stderr);
        }
    }
}

#[tokio::test]
async fn a_first_answer_with_an_error_that_has_no_id_is_told() {
    let refused = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Not today"}}"#;
    let odd = [("initialize", json_text(refused)), ("server/discover", json_text(refused))];
    let server = OpenServer::start_odd(&[tools()], &odd).await;
    let outcome = CommandLine::of(&server.url, "").run(&["tools"]).await;
    assert!(outcome.stderr.contains("Not today"), "{}", outcome.stderr);
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let silent = Document { hangs: true, ..Document::status(200) };
    let endless = ": still here\n\n".repeat(3);
    for document in [silent, events(&endless), Document::status(202), Document::status(204)] {
        let outcome = call_with(document.clone(), &["--answer-timeout", "1"]).await;
        assert!(matches!(outcome.code, 1 | 3), "{document:?}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("make dev"), "{document:?}: {}", outcome.stderr);
    }
    let silent = Document { hangs: true, ..Document::status(200) };
    let outcome = call_with(silent, &["--answer-timeout", "1"]).await;
    assert!(outcome.stderr.contains("has not answered for 1 seconds"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("--answer-timeout"), "{}", outcome.stderr);
    assert_eq!(outcome.code, 3);
}

#[tokio::test]
async fn compressed_answers_and_streams_are_read() {
    let result = json!({"jsonrpc": "2.0", "id": "ID", "result": pong()});
    let body = |id: u32| result.to_string().replace("\"ID\"", &id.to_string());
    // The id of a request is not known in advance; a result without one answers it.
    let without_id = body(0).replace("\"id\":0,", "");
    for document in [json_text(&without_id), events(&format!("data: {without_id}\n\n"))] {
        let outcome = call(document.gzipped()).await;
        assert_eq!((outcome.code, outcome.stdout.as_str()), (0, "pong\n"), "{}", outcome.stderr);
    }
    let bomb = json_text(&format!("{without_id}{}", " ".repeat(64 << 20))).gzipped();
    let outcome = call(bomb).await;
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("maximum size"), "{}", outcome.stderr);
}

#[tokio::test]
async fn json_by_another_name_is_read() {
    let body = json!({"id": 0, "result": pong()}).to_string().replace(":0", ":ID");
    for media_type in ["application/json-rpc", "text/plain; charset=utf-8", "text/json"] {
        let document = Document::status(200).with("content-type", media_type);
        let outcome = call(document.saying(body.clone())).await;
        assert_eq!(outcome.stdout, "pong\n", "{media_type}: {}", outcome.stderr);
    }
    assert_eq!(call(Document::status(200).saying(body)).await.stdout, "pong\n");
}

#[tokio::test]
async fn a_batch_of_one_answer_and_a_byte_order_mark_are_read() {
    let answer = json!({"jsonrpc": "2.0", "id": 0, "result": pong()}).to_string();
    let answer = answer.replace(":0", ":ID");
    let note = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#;
    for body in [format!("[{note},{answer}]"), format!("[{answer}]"), format!("\u{feff}{answer}")] {
        let outcome = call(json_text(&body)).await;
        assert_eq!(outcome.stdout, "pong\n", "{body}: {}", outcome.stderr);
    }
}

#[tokio::test]
async fn however_much_a_server_says_little_of_it_is_shown() {
    let error = json!({"code": -1, "message": "x".repeat(500_000)});
    let body = json!({"jsonrpc": "2.0", "id": null, "error": error}).to_string();
    for options in [&[][..], &["--json"]] {
        let outcome = call_with(json_text(&body), options).await;
        assert!(outcome.stderr.len() < 4000, "{}", outcome.stderr.len());
    }
}

#[tokio::test]
async fn one_broken_tool_of_many_loses_only_itself() {
    let good = json!({"name": "good", "inputSchema": {"type": "object"}});
    let plain = json!({"name": "plain", "title": null, "annotations": 5});
    let bad = json!({"name": "bad\u{1b}[2J", "inputSchema": ["object"]});
    let server = OpenServer::start(&[("tools/list", json!({"tools": [good, bad, plain]}))]).await;
    let outcome = CommandLine::of(&server.url, "").run(&["tools"]).await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, "good\n\nplain\n"));
    assert!(outcome.stderr.contains("cannot be read, so it is left out"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains('\u{1b}'), "{}", outcome.stderr);
}

#[tokio::test]
async fn a_list_that_names_itself_as_its_next_page_ends() {
    let again = |cursor: &str| json!({"tools": [], "nextCursor": cursor});
    for cursor in ["", "same"] {
        let server = OpenServer::start(&[("tools/list", again(cursor))]).await;
        let run = CommandLine::of(&server.url, "");
        let outcome = tokio::time::timeout(Duration::from_secs(60), run.run(&["tools"])).await;
        assert_eq!(outcome.expect("an end").code, 0);
    }
}

#[tokio::test]
async fn a_slow_first_answer_does_not_end_the_session() {
    let error = r#"{"jsonrpc":"2.0","id":ID,"error":{"code":-32601,"message":"Unknown"}}"#;
    let slow = json_text(error).after(Duration::from_secs(11));
    let answers = [tools(), ("tools/call ping", pong())];
    let server = OpenServer::start_odd(&answers, &[("server/discover", slow)]).await;
    let began = Instant::now();
    let outcome = CommandLine::of(&server.url, "").run(&["call", "ping"]).await;
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(began.elapsed() >= Duration::from_secs(11));
}

/// What is said about a server whose every answer is `document`.
async fn told(document: Document) -> (i32, String) {
    let server = DocumentServer::start().await;
    server.put("/mcp", document);
    let outcome = CommandLine::of(&server.at("/mcp"), "").run(&["tools"]).await;
    for debug in ["Some(", "None", "Deserialize", "{ ", "StreamableHttp"] {
        assert!(!outcome.stderr.contains(debug), "{}", outcome.stderr);
    }
    (outcome.code, outcome.stderr)
}

#[tokio::test]
async fn a_running_server_in_trouble_is_not_told_to_be_started() {
    for status in [429, 500, 502, 503] {
        let page = Document::status(status).with("content-type", "text/html");
        let page = page.saying("<html><title>Sorry</title><b>Back at nine</b></html>");
        let (code, stderr) = told(page).await;
        assert!(stderr.contains("Sorry Back at nine"), "{stderr}");
        assert!(stderr.contains(&status.to_string()) && stderr.contains("hint:"), "{stderr}");
        assert!(!stderr.contains("make dev") && !stderr.contains("check the address"), "{stderr}");
        assert_eq!(code, 3);
    }
}

#[tokio::test]
async fn a_redirect_offers_only_an_address_that_would_be_taken() {
    for (location, offered) in [
        ("/v2/mcp", true),
        ("https://mcp.example.com/mcp", true),
        ("http://mcp.example.com/mcp", false),
        ("api://somewhere", false),
        ("//", false),
        ("", false),
    ] {
        let (_, stderr) = told(Document::status(307).with("location", location)).await;
        assert!(stderr.contains("redirects"), "{location}: {stderr}");
        let hint = stderr.split_once("use `--server ").map(|(_, rest)| rest);
        assert_eq!(hint.is_some(), offered, "{location}: {stderr}");
        if let Some((address, _)) = hint.and_then(|hint| hint.split_once('`')) {
            let taken = CommandLine::of(address, "").run(&["list"]).await;
            assert_eq!(taken.code, 0, "{address}: {}", taken.stderr);
        }
    }
}

#[tokio::test]
async fn what_a_server_says_about_its_refusal_is_shown() {
    for (document, said) in [
        (Document { status: 400, ..json_text(r#"{"detail":"No tenant"}"#) }, "No tenant"),
        (Document { status: 404, ..json_text("Cannot POST /mcp") }, "Cannot POST /mcp"),
        (Document { status: 422, ..json_text(r#"["a","b"]"#) }, r#"["a","b"]"#),
        (Document { status: 403, ..json_text(r#"{"message":"VPN only"}"#) }, "VPN only"),
        (json_text("<!doctype html><title>Welcome</title>"), "Welcome"),
        (json_text(""), "answered nothing"),
        (json_text("{}"), "neither a result nor an error"),
        (json_text("null"), "not a JSON-RPC message"),
        (events("data: nonsense\n\n"), "broke off"),
    ] {
        let (code, stderr) = told(document).await;
        assert!(stderr.contains(said), "{said}: {stderr}");
        assert!(stderr.len() < 1000 && matches!(code, 1 | 3 | 6), "{code}: {stderr}");
    }
}

#[tokio::test]
async fn a_stream_that_is_cut_is_said_to_be() {
    for body in ["", ": hello\n\n", "data: {\"jsonrpc\"", "event: message\n"] {
        let outcome = call_with(events(body), &["--answer-timeout", "5"]).await;
        assert!(outcome.stderr.contains("broke off"), "{body}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("check the address"), "{}", outcome.stderr);
        assert_eq!(outcome.code, 3);
    }
}
