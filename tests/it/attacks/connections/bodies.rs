//! Refusals that need not read the body. Clients that send head and body apart must get the answer,
//! and their next request on the same connection must be answered too.

use clap::Parser;
use mcp::config::Config;
use net::clock::Clock;
use serde_json::json;
use tests::{
    programs::raw_http::{RawAnswer, RawHttp},
    stack::{Stack, access_token::signed},
};
use tokio::net::TcpListener;

/// A request that is refused: server, method and path, headers, and the status.
type Refused<'a> = (&'a str, &'a str, String, u16);

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
const HOST: &str = "Host: localhost\r\n";

fn header(name: &str, value: &str) -> String {
    format!("{HOST}{name}: {value}\r\n")
}

/// Each kind of refusal that either server has, by the route that makes it.
fn refusals(stack: &Stack) -> Vec<Refused<'_>> {
    let auth = stack.issuer.as_str();
    let mcp = stack.resource.as_str();
    let token = signed(stack, &json!({}));
    let plain = header("Content-Type", "text/plain");
    let at_auth = [
        ("POST /token", plain.clone(), 400),
        ("POST /par", plain.clone(), 400),
        ("POST /revoke", plain.clone(), 400),
        ("POST /introspect", plain.clone(), 400),
        ("POST /device_authorization", plain.clone(), 400),
        ("POST /device", plain.clone(), 400),
        ("POST /account/delete", plain.clone(), 400),
        ("POST /register", plain, 400),
        ("POST /userinfo", HOST.into(), 401),
        ("PUT /register/unknown", HOST.into(), 401),
        ("POST /nothing", HOST.into(), 404),
        ("POST /jwks", HOST.into(), 405),
        ("POST /health", HOST.into(), 405),
        ("DELETE /token", HOST.into(), 405),
        ("POST /consent", header("Sec-Fetch-Site", "cross-site"), 403),
        ("POST /sign-in/github", header("Origin", "http://evil.test"), 403),
        ("POST /token", format!("{HOST}{HOST}{FORM}"), 400),
        ("POST /health", String::new(), 400),
    ];
    let bearer = |token: &str| header("Authorization", &format!("Bearer {token}"));
    let good = bearer(&token);
    let at_mcp = [
        ("POST /mcp", HOST.into(), 401),
        ("POST /mcp", bearer("no-token"), 401),
        ("GET /mcp", HOST.into(), 401),
        ("DELETE /mcp", HOST.into(), 401),
        ("POST /mcp?access_token=x", HOST.into(), 400),
        ("POST /mcp", good.replace("localhost", "evil.test"), 403),
        ("POST /mcp", format!("{good}Origin: http://evil.test\r\n"), 403),
        ("POST /mcp", format!("{good}{HOST}"), 400),
        ("POST /nothing", HOST.into(), 404),
        ("POST /health", HOST.into(), 405),
        ("POST /.well-known/oauth-protected-resource/mcp", HOST.into(), 405),
        ("DELETE /token", HOST.into(), 405),
    ];
    let at_auth = at_auth.into_iter().map(|(line, headers, status)| (auth, line, headers, status));
    at_auth.chain(at_mcp.map(|(line, headers, status)| (mcp, line, headers, status))).collect()
}

fn head((_, line, headers, _): &Refused<'_>, further: &str) -> String {
    format!("{line} HTTP/1.1\r\n{headers}{further}\r\n")
}

async fn assert_usable(raw: &mut RawHttp, refused: &Refused<'_>, answer: &RawAnswer) {
    let (_, line, headers, status) = refused;
    assert_eq!(answer.status, *status, "{line} {headers}: {answer:?}");
    assert!(!answer.head.contains("connection: close"), "{line} {headers}: {}", answer.head);
    let next = raw.send(&format!("GET /health HTTP/1.1\r\n{HOST}\r\n")).await;
    assert_eq!(next.status, 200, "after {line} {headers}");
}

async fn assert_ends(raw: &mut RawHttp, refused: &Refused<'_>, answer: &RawAnswer) {
    let (_, line, headers, status) = refused;
    assert_eq!(answer.status, *status, "{line} {headers}: {answer:?}");
    assert!(answer.head.contains("connection: close"), "{line} {headers}: {}", answer.head);
    assert!(raw.end().await.is_ok(), "{line} {headers}: the connection was cut");
}

#[tokio::test]
async fn after_a_refusal_of_a_request_in_two_writes_the_connection_takes_the_next() {
    let stack = Stack::start().await;
    for refused in refusals(&stack) {
        for (further, body) in [
            ("Content-Length: 10\r\n", "0123456789"),
            ("Transfer-Encoding: chunked\r\n", "5\r\n01234\r\n0\r\n\r\n"),
        ] {
            let mut raw = RawHttp::connect(refused.0).await;
            raw.write(&head(&refused, further)).await;
            raw.write(body).await;
            let answer = raw.answer().await;
            assert_usable(&mut raw, &refused, &answer).await;
        }
    }
}

#[tokio::test]
async fn a_client_that_asks_before_it_sends_a_body_is_refused_at_once_and_told_that_this_is_the_end()
 {
    let stack = Stack::start().await;
    for refused in refusals(&stack) {
        let mut raw = RawHttp::connect(refused.0).await;
        let further = "Content-Length: 10\r\nExpect: 100-continue\r\n";
        let answer = raw.send(&head(&refused, further)).await;
        assert_ends(&mut raw, &refused, &answer).await;
    }
}

#[tokio::test]
async fn a_refusal_of_a_large_body_can_be_read_although_the_client_sends_all_of_it_first() {
    let stack = Stack::start().await;
    let body = "x".repeat(6 << 20);
    for mut refused in refusals(&stack) {
        if refused.0 == stack.resource && refused.1 == "DELETE /token" {
            // The facade looks at the length first.
            refused.3 = 413;
        }
        let mut raw = RawHttp::connect(refused.0).await;
        raw.write(&head(&refused, &format!("Content-Length: {}\r\n", body.len()))).await;
        let written = raw.write_all(&body).await;
        assert!(written.is_ok(), "{}: the connection was cut: {written:?}", refused.1);
        let answer = raw.answer().await;
        assert_ends(&mut raw, &refused, &answer).await;
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_and_the_refusal_can_be_read() {
    let stack = Stack::start().await;
    let auth = stack.issuer.as_str();
    let mcp = stack.resource.as_str();
    let good = header("Authorization", &format!("Bearer {}", signed(&stack, &json!({}))));
    for (size, refused) in [
        (100 << 10, (auth, "POST /token", format!("{HOST}{FORM}"), 400)),
        (100 << 10, (auth, "POST /register", header("Content-Type", "application/json"), 400)),
        (100 << 10, (mcp, "POST /token", format!("{HOST}{FORM}"), 413)),
        (6 << 20, (mcp, "POST /mcp", good, 413)),
    ] {
        let mut raw = RawHttp::connect(refused.0).await;
        raw.write(&head(&refused, &format!("Content-Length: {size}\r\n"))).await;
        raw.write(&"x".repeat(size)).await;
        let answer = raw.answer().await;
        if answer.head.contains("connection: close") {
            assert_ends(&mut raw, &refused, &answer).await;
        } else {
            assert_usable(&mut raw, &refused, &answer).await;
        }
    }
}

#[tokio::test]
async fn a_refusal_for_asking_too_often_leaves_the_connection_usable() {
    let stack = Stack::start_with(&["--limit-registrations", "1"], &[]).await;
    let headers = header("Content-Type", "application/json");
    let body = r#"{"redirect_uris":["http://127.0.0.1/callback"]}"#;
    let further = format!("Content-Length: {}\r\n", body.len());
    let mut raw = RawHttp::connect(&stack.issuer).await;
    for status in [201, 429, 429] {
        let refused = (stack.issuer.as_str(), "POST /register", headers.clone(), status);
        raw.write(&head(&refused, &further)).await;
        raw.write(body).await;
        let answer = raw.answer().await;
        assert_usable(&mut raw, &refused, &answer).await;
    }
}

#[tokio::test]
async fn the_facade_refuses_for_an_issuer_that_is_down_and_the_connection_takes_the_next() {
    let mut stack = Stack::start().await;
    stack.stop_auth().await;
    for path in ["/token", "/register", "/revoke"] {
        let line = format!("POST {path}");
        let refused = (stack.resource.as_str(), line.as_str(), format!("{HOST}{FORM}"), 503);
        let mut raw = RawHttp::connect(&stack.resource).await;
        raw.write(&head(&refused, "Content-Length: 10\r\n")).await;
        raw.write("0123456789").await;
        let answer = raw.answer().await;
        assert_usable(&mut raw, &refused, &answer).await;
    }
}

#[tokio::test]
async fn the_guard_refuses_in_the_same_way_in_front_of_another_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let resource = format!("{url}/mcp");
    let config = Config::try_parse_from(["mcp", "--resource", &resource]).unwrap();
    let router = mcp::router(&config, Clock::system()).unwrap();
    tokio::spawn(async { axum::serve(listener, router).await });
    for (further, body) in [
        ("Content-Length: 10\r\n", "0123456789"),
        ("Transfer-Encoding: chunked\r\n", "5\r\n01234\r\n0\r\n\r\n"),
    ] {
        let refused = (url.as_str(), "POST /mcp", HOST.into(), 401);
        let mut raw = RawHttp::connect(&url).await;
        raw.write(&head(&refused, further)).await;
        raw.write(body).await;
        let answer = raw.answer().await;
        assert_usable(&mut raw, &refused, &answer).await;
    }
}
