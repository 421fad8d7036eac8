//! Redirect URIs that look like a registered one, or that only a lenient parser takes for one.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::{
    people::browser::{Browser, Page},
    programs::client::{Answer, Client, http, with, without},
    stack::Stack,
};

const REGISTERED: &str = "https://app.test/cb";
const ON_LOOPBACK: &str = "http://127.0.0.1/callback";

/// Neither registered nor, for a server that compares strings, anything like it.
const ALMOST: [&str; 19] = [
    "https://app.test/cb/",
    "https://app.test/cbx",
    "https://app.test/cb/evil",
    "https://app.test/CB",
    "https://app.test/cb?x=1",
    "https://app.test/cb#f",
    "https://app.test/%63b",
    "https://app.test.evil.test/cb",
    "https://evil-app.test/cb",
    "https://x.app.test/cb",
    "http://app.test/cb",
    "https://app.test:8443/cb",
    "https://app.test:443/cb",
    "HTTPS://APP.TEST/cb",
    "https://app.test/cb/../x",
    "https://app.test/cb/..;/x",
    "https://app.test/cb/%2e%2e/x",
    "https://app.test/cb%2f..%2fx",
    "https://app.test/cb;x=1",
];

/// Relative, or with another host than a person reads.
const CONFUSING: [&str; 12] = [
    "/cb",
    "//evil.test/cb",
    "/\\evil.test",
    "https://app.test@evil.test/cb",
    "https://app.test:443@evil.test/cb",
    "https://evil.test\\@app.test/cb",
    "https://a@b@evil.test/cb",
    "https://app.test%40evil.test/cb",
    "https://evil.test%23@app.test/cb",
    "https://app.test%00.evil.test/cb",
    "https://app.test\0.evil.test/cb",
    "https://app.test\t.evil.test/cb",
];

/// They run or open something.
const RUNNING: [&str; 12] = [
    "javascript:alert(1)//https://app.test/cb",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "java%09script:alert(1)",
    "\u{1}javascript:alert(1)",
    "%01javascript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:https://x",
    "view-source:https://app.test/cb",
    "intent://x#Intent;end",
];

/// For a client that registered `ON_LOOPBACK`.
const NEAR_LOOPBACK: [&str; 16] = [
    "http://localhost:51004/callback",
    "http://127.0.0.2:1/callback",
    "http://127.1:1/callback",
    "http://2130706433:1/callback",
    "http://0x7f.1:1/callback",
    "http://[::1]:1/callback",
    "http://[::ffff:127.0.0.1]:1/callback",
    "https://127.0.0.1:1/callback",
    "http://127.0.0.1:1@evil.test/callback",
    "http://127.0.0.1.evil.test/callback",
    "http://127.0.0.1:99999/callback",
    "http://127.0.0.1:0/callback",
    "http://127.0.0.1:/callback",
    "http://127.0.0.1:1/callback/",
    "http://127.0.0.1:1/CALLBACK",
    "http://127.0.0.1:1/callback?x=1",
];

async fn register(stack: &Stack, redirect_uris: Value) -> Client {
    let metadata = json!({"token_endpoint_auth_method": "none", "redirect_uris": redirect_uris});
    Client::register_as(stack, metadata).await
}

async fn open(client: &Client, redirect_uri: &str) -> Page {
    let request = with(client.authorize_parameters(), "redirect_uri", redirect_uri);
    Browser::default().open(&client.authorize_url(&request)).await
}

async fn assert_stays_here(client: &Client, redirect_uri: &str) {
    let page = open(client, redirect_uri).await;
    assert_eq!((page.status.as_u16(), page.header("location")), (400, ""), "{redirect_uri:?}");
    assert!(page.header("content-type").starts_with("text/html"), "{redirect_uri:?}");
    for attribute in ["href", "action", "src", "content"] {
        let link = format!("{attribute}=\"{redirect_uri}");
        assert!(!page.html.contains(&link), "{redirect_uri:?} is a link");
    }
}

#[tokio::test]
async fn no_request_is_sent_to_an_address_that_only_looks_registered() {
    let stack = Stack::start().await;
    let client = register(&stack, json!([REGISTERED])).await;
    for uri in ALMOST.iter().chain(&CONFUSING).chain(&RUNNING) {
        assert_stays_here(&client, uri).await;
    }
    assert_eq!(open(&client, REGISTERED).await.url.path(), "/sign-in");
}

#[tokio::test]
async fn no_request_is_sent_to_an_address_that_only_looks_like_this_machine() {
    let stack = Stack::start().await;
    let client = register(&stack, json!([ON_LOOPBACK])).await;
    for uri in NEAR_LOOPBACK {
        assert_stays_here(&client, uri).await;
    }
    for uri in [ON_LOOPBACK, "http://127.0.0.1:51004/callback"] {
        assert_eq!(open(&client, uri).await.url.path(), "/sign-in", "{uri}");
    }
}

#[tokio::test]
async fn a_client_with_two_addresses_must_say_which() {
    let stack = Stack::start().await;
    let client = register(&stack, json!([REGISTERED, "https://app.test/other"])).await;
    let request = without(client.authorize_parameters(), "redirect_uri");
    let page = Browser::default().open(&client.authorize_url(&request)).await;
    assert_eq!((page.status.as_u16(), page.header("location")), (400, ""), "{}", page.text());
    assert_eq!(open(&client, "https://app.test/other").await.url.path(), "/sign-in");
}

#[tokio::test]
async fn an_address_that_confuses_parsers_or_runs_something_is_not_registered() {
    let stack = Stack::start().await;
    let post = async |uris: Value| {
        let request = json!({"redirect_uris": uris, "token_endpoint_auth_method": "none"});
        Answer::of(http().post(stack.at("/register")).json(&request)).await
    };
    for uri in CONFUSING.iter().chain(&RUNNING) {
        for uris in [json!([uri]), json!([REGISTERED, uri])] {
            let answer = post(uris).await;
            let told = (answer.status.as_u16(), answer.text("error"));
            assert_eq!(told, (400, "invalid_redirect_uri"), "{uri:?}");
        }
    }
    let many: Vec<_> = (0..21).map(|number| format!("{REGISTERED}/{number}")).collect();
    assert_eq!(post(json!(many)).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(post(json!(many[..20])).await.status, StatusCode::CREATED);
}
