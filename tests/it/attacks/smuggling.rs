//! Requests whose end two readers could see in two places, whose head is endless, or whose body grows
//! when it is unpacked.

use serde_json::json;
use tests::{
    programs::{
        client::{Answer, REDIRECT_URI, http},
        mcp_client::{message, post},
        raw_http::RawHttp,
    },
    servers::document_server::gzip,
    stack::{Stack, access_token::signed},
};

/// What an attacker hides in the body of another request.
const HIDDEN: &str = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Headers that contradict each other or say where a body ends in no legal way, each with a body that
/// ends elsewhere for another reader.
const CONTRADICTIONS: [(&str, &str); 29] = [
    ("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
    ("Transfer-Encoding: chunked\r\nContent-Length: 6\r\n", "0\r\n\r\n"),
    ("Content-Length: 5\r\nContent-Length: 6\r\n", "01234"),
    ("Content-Length: 5, 5\r\n", "01234"),
    ("Content-Length: 5,6\r\n", "01234"),
    ("Content-Length: +5\r\n", "01234"),
    ("Content-Length: -5\r\n", "01234"),
    ("Content-Length: 0x5\r\n", "01234"),
    ("Content-Length: 5 5\r\n", "01234"),
    ("Content-Length: \r\n", "01234"),
    ("Content-Length: 99999999999999999999\r\n", "01234"),
    ("Content-Length : 5\r\n", "01234"),
    ("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"),
    ("Transfer-Encoding: identity\r\n", "0\r\n\r\n"),
    ("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"),
    ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"),
    ("Transfer-Encoding: chunked;q=1\r\n", "0\r\n\r\n"),
    ("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"),
    ("Transfer-Encoding: \u{b}chunked\r\n", "0\r\n\r\n"),
    ("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"),
    ("X: y\r\n Transfer-Encoding: chunked\r\n", "0\r\n\r\n"),
    ("X: y\rTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
    ("X: y\nTransfer-Encoding: chunked\r\nContent-Length: 6\r\n", "0\r\n\r\n"),
    ("Content-Length: 5\nContent-Length: 6\r\n", "01234"),
    ("X: \0\r\nContent-Length: 5\r\n", "01234"),
    (": y\r\nContent-Length: 5\r\n", "01234"),
    ("Transfer-Encoding: chunked\r\n", "FFFFFFFFFFFFFFFFF\r\n"),
    ("Transfer-Encoding: chunked\r\n", "0x0\r\n\r\n"),
    ("Transfer-Encoding: chunked\r\n", "0;\nx\r\n\r\n"),
];

/// How many answers are in what a server said.
fn answers(text: &str) -> usize {
    text.matches("HTTP/1.1 ").count()
}

/// The status of an answer; 0 where there was none.
fn status(text: &str) -> u16 {
    let status = text.strip_prefix("HTTP/1.1 ").and_then(|text| text.get(..3));
    status.and_then(|status| status.parse().ok()).unwrap_or_default()
}

/// All that a server says to these bytes until it ends the connection.
async fn said(server: &str, bytes: &str) -> String {
    let mut raw = RawHttp::connect(server).await;
    raw.write(bytes).await;
    raw.rest().await
}

#[tokio::test]
async fn no_request_hides_in_the_body_of_another() {
    let stack = Stack::start().await;
    for (server, line) in [
        (&stack.issuer, "POST /token HTTP/1.1"),
        (&stack.resource, "POST /mcp HTTP/1.1"),
        (&stack.resource, "POST /token HTTP/1.1"),
    ] {
        for (headers, body) in CONTRADICTIONS {
            let request = format!("{line}\r\nHost: localhost\r\n{headers}\r\n{body}{HIDDEN}");
            let text = said(server, &request).await;
            assert_eq!(answers(&text), 1, "{request:?}: {text}");
            assert!((400..500).contains(&status(&text)), "{request:?}: {text}");
        }
        let old = line.replace("1.1", "1.0");
        let request = format!("{old}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}");
        let text = said(server, &request).await;
        assert_eq!(text.matches("HTTP/1.").count(), 1, "{request:?}: {text}");
    }
}

#[tokio::test]
async fn two_requests_in_a_row_with_plain_ends_are_both_answered() {
    let stack = Stack::start().await;
    let last = HIDDEN.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    for server in [&stack.issuer, &stack.resource] {
        for (headers, body) in [
            ("Content-Length: 5\r\n", "01234"),
            ("Content-Length: 0\r\n", ""),
            ("Content-Length: 5\r\nContent-Length: 5\r\n", "01234"),
            ("X: y\nContent-Length: 5\n", "01234"),
            ("Transfer-Encoding: chunked\r\n", "5\r\n01234\r\n0\r\n\r\n"),
            ("Transfer-Encoding: \tchunked\r\n", "0\r\n\r\n"),
        ] {
            let line = "POST /token HTTP/1.1\r\nHost: localhost\r\n";
            let text = said(server, &format!("{line}{headers}\r\n{body}{last}")).await;
            assert_eq!(answers(&text), 2, "{headers:?}: {text}");
        }
    }
}

#[tokio::test]
async fn an_endless_head_is_refused_and_the_next_connection_is_served() {
    let stack = Stack::start().await;
    let many: String = (0..101).map(|number| format!("X-{number}: y\r\n")).collect();
    let long = format!("X: {}\r\n", "y".repeat(1 << 20));
    for server in [&stack.issuer, &stack.resource] {
        for headers in [&many, &long] {
            let line = "GET /health HTTP/1.1\r\nHost: localhost\r\n";
            let text = said(server, &format!("{line}{headers}\r\n")).await;
            assert_eq!((answers(&text), status(&text)), (1, 431), "{text}");
        }
        let health = HIDDEN.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
        assert_eq!(status(&said(server, &health).await), 200);
    }
}

#[tokio::test]
async fn a_compressed_request_is_not_unpacked() {
    let stack = Stack::start().await;
    let registration =
        json!({"redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"}).to_string();
    let token = signed(&stack, &json!({}));
    let hello = json!({"protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"}});
    let hello = message("initialize", hello).to_string();
    // It would be larger than any body that is read.
    let bomb = gzip(&vec![b' '; 5 << 20]);
    for encoding in ["gzip", "br", "gzip, gzip"] {
        let register = |body: Vec<u8>| {
            let request = http().post(stack.at("/register")).body(body);
            let request = request.header("content-type", "application/json");
            Answer::of(request.header("content-encoding", encoding))
        };
        for body in [gzip(registration.as_bytes()), bomb.clone()] {
            assert_eq!(register(body).await.status, 400, "{encoding}");
        }
        for body in [gzip(hello.as_bytes()), bomb.clone()] {
            let request = post(&stack.resource, &token).header("content-encoding", encoding);
            let answer = Answer::of(request.body(body)).await;
            assert_eq!(answer.status, 400, "{encoding}: {}", answer.json);
        }
    }
    let plain = http().post(stack.at("/register")).header("content-type", "application/json");
    assert_eq!(Answer::of(plain.body(registration)).await.status, 201);
    assert_eq!(Answer::of(post(&stack.resource, &token).body(hello)).await.status, 200);
}
