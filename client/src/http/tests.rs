//! What is never sent, never followed and never read to its end.

use std::future::IntoFuture as _;

use reqwest::StatusCode;

use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).expect("a URL")
}

#[test]
fn plain_http_is_for_this_machine_only() {
    for allowed in
        ["https://a.example", "http://localhost:1", "http://[::1]:1", "http://127.0.0.1:1"]
    {
        assert!(is_secure(&url(allowed)), "{allowed}");
    }
    for refused in [
        "http://a.example",
        "http://localhost.evil.example",
        "http://evil.localhost",
        "http://localhost.",
        "http://127.9.9.9",
        "http://[::ffff:127.0.0.1]",
        "http://0.0.0.0",
        "ftp://localhost",
        "data:x",
    ] {
        assert!(!is_secure(&url(refused)), "{refused}");
    }
}

#[tokio::test]
async fn a_remote_server_cannot_send_the_client_to_this_machine() {
    let remote =
        Fetch::new(&url("https://93.184.216.34/mcp"), Explanation::default()).expect("set up");
    for inward in [
        "http://localhost:6379",
        "https://127.0.0.1",
        "https://169.254.169.254",
        "https://[::ffff:127.0.0.1]",
        "https://10.0.0.1",
        "https://100.64.0.1",
        "https://2130706433",
        "https://[fd00::1]",
        "https://[64:ff9b::7f00:1]",
    ] {
        assert!(
            matches!(remote.check(&url(inward)).await, Err(FetchError::Inward { .. })),
            "{inward}"
        );
    }
    let local =
        Fetch::new(&url("http://localhost:3001/mcp"), Explanation::default()).expect("set up");
    assert!(local.check(&url("http://localhost:3000")).await.is_ok());
}

#[tokio::test]
async fn a_server_that_redirects_is_not_followed() {
    use axum::{Router, response::Redirect, routing::get};

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new()
        .route("/old", get(|| async { Redirect::temporary("/new") }))
        .route("/new", get(|| async { "{}" }));
    tokio::spawn(axum::serve(listener, router).into_future());
    let old = url(&format!("http://{address}/old"));
    let fetch = Fetch::new(&old, Explanation::default()).expect("set up");
    let answer = fetch.get(&old).await.expect("an answer");
    assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
}

#[tokio::test]
async fn an_answer_that_does_not_end_is_given_up() {
    use axum::{Router, body::Body, routing::get};
    use futures::{StreamExt as _, stream};

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let one_byte = || stream::once(async { Ok::<_, std::io::Error>("{") });
    let router = Router::new().route(
        "/",
        get(move || async move { Body::from_stream(one_byte().chain(stream::pending())) }),
    );
    tokio::spawn(axum::serve(listener, router).into_future());
    let url = url(&format!("http://{address}/"));
    let fetch = Fetch::new(&url, Explanation::default()).expect("set up");
    assert_eq!(fetch.timeout, REQUEST_TIMEOUT);
    let impatient = Fetch { timeout: Duration::from_millis(50), ..fetch };
    let answer = tokio::time::timeout(Duration::from_secs(10), impatient.get(&url)).await;
    assert!(matches!(answer.expect("given up"), Err(FetchError::TimedOut { .. })));
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    use axum::{Router, routing::get};

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new().route("/", get(|| async { vec![b' '; MAX_BODY + 1] }));
    tokio::spawn(axum::serve(listener, router).into_future());
    let url = url(&format!("http://{address}/"));
    let fetch = Fetch::new(&url, Explanation::default()).expect("set up");
    assert!(matches!(fetch.get(&url).await, Err(FetchError::TooLarge { .. })));
}

#[test]
fn sign_in_addresses_are_harmless() {
    let url = "https://as.example/authorize?response_type=code&resource=http%3A%2F%2Flocalhost%3A3001%2Fmcp&scope=a+b";
    assert!(is_safe_to_open(&Url::parse(url).expect("a URL")));
}

#[test]
fn other_schemes_and_shell_characters_are_not_opened() {
    for url in [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "data:text/html,x",
        "https://as.example/$(reboot)",
        "https://as.example/a;reboot",
        "https://as.example/a|reboot",
        "https://as.example/a'b",
    ] {
        assert!(!is_safe_to_open(&Url::parse(url).expect("a URL")), "{url}");
    }
}
