//! Routes under other spellings of their path, other methods, and places where servers often leave
//! something lying about.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tests::{
    programs::{
        client::{Answer, REDIRECT_URI, http},
        mcp_client::{Session, Wire, call, message, send},
        raw_http::RawHttp,
    },
    stack::{Stack, access_token::signed},
};

/// Another spelling of each kind, of a path that starts with a slash.
fn spellings(path: &str) -> Vec<String> {
    let (first, rest) = path[1..].split_at(1);
    let letter = first.as_bytes()[0];
    vec![
        path.to_owned(),
        format!("{path}/"),
        format!("{path}//"),
        format!("/{path}"),
        format!("/.{path}"),
        format!("/x/..{path}"),
        format!("/health/..{path}"),
        format!("{path}/."),
        format!("{path}/.."),
        format!("{path}/..;/"),
        format!("/%{letter:02x}{rest}"),
        format!("{path}%2f"),
        format!("{path}%00"),
        format!("{path}%20"),
        format!("{path};x"),
        format!("{path}?x"),
        format!("{path}/x"),
        format!("\\{}", &path[1..]),
        path.to_uppercase(),
    ]
}

/// The head and body that a server sends to this request line and these headers.
async fn said(server: &str, method: &str, path: &str, headers: &str) -> String {
    let mut raw = RawHttp::connect(server).await;
    let fixed = "Host: localhost\r\nConnection: close\r\nContent-Length: 0\r\n";
    raw.write(&format!("{method} {path} HTTP/1.1\r\n{fixed}{headers}\r\n")).await;
    raw.rest().await
}

/// The status of an answer; 0 where there was none.
fn status(said: &str) -> u16 {
    let status = said.strip_prefix("HTTP/1.1 ").and_then(|text| text.get(..3));
    status.and_then(|status| status.parse().ok()).unwrap_or_default()
}

#[tokio::test]
async fn without_a_token_no_method_and_no_spelling_reaches_the_mcp_server() {
    let stack = Stack::start().await;
    for path in spellings("/mcp") {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"] {
            let text = said(&stack.resource, method, &path, "").await;
            assert!((400..500).contains(&status(&text)), "{method} {path}: {text}");
        }
        // A preflight may be answered, and says nothing else.
        let text = said(&stack.resource, "OPTIONS", &path, "").await;
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(status(head) >= 400 || body.is_empty(), "{path}: {text}");
    }
    let token = signed(&stack, &json!({}));
    assert_eq!(call(&stack.resource, Wire::V2026, &token, "whoami", json!({})).await.status, 200);
}

#[tokio::test]
async fn no_spelling_of_a_page_avoids_the_check_of_where_a_form_comes_from() {
    let stack = Stack::start().await;
    let foreign = "Sec-Fetch-Site: cross-site\r\nOrigin: http://evil.test\r\n\
                   Content-Type: application/x-www-form-urlencoded\r\n";
    for page in ["/consent", "/sign-in/github", "/sign-out", "/account/delete", "/device"] {
        for path in spellings(page) {
            let text = said(&stack.issuer, "POST", &path, foreign).await;
            assert!((400..500).contains(&status(&text)), "{path}: {text}");
        }
    }
    let own = format!(
        "Sec-Fetch-Site: same-origin\r\nOrigin: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n",
        stack.issuer
    );
    let text = said(&stack.issuer, "POST", "/sign-in/github", &own).await;
    assert_eq!(status(&text), 303, "{text}");
}

#[tokio::test]
async fn nothing_of_the_inside_lies_about() {
    let stack = Stack::start().await;
    for server in [&stack.issuer, &stack.resource] {
        for path in [
            "/metrics",
            "/debug",
            "/debug/pprof",
            "/admin",
            "/actuator/env",
            "/server-status",
            "/config",
            "/.env",
            "/.git/config",
            "/portcullis.toml",
            "/auth.db",
            "/secret",
            "/../secret",
            "/static/../../../etc/passwd",
            "/%2e%2e/%2e%2e/etc/passwd",
            "/swagger.json",
        ] {
            let text = said(server, "GET", path, "").await;
            assert_eq!(status(&text), 404, "{path}: {text}");
        }
        for (path, bodies) in [("/health", ["ok", r#"{"status":"ok"}"#])] {
            let text = said(server, "GET", path, "").await;
            let (_, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(bodies.contains(&body), "{path}: {text}");
        }
    }
    let ready = said(&stack.issuer, "GET", "/ready", "").await;
    assert!(ready.ends_with("\r\n\r\n{\"status\":\"ready\"}"), "{ready}");
}

#[tokio::test]
async fn no_well_known_path_is_found_by_a_trick_or_repeated_in_the_document() {
    let stack = Stack::start().await;
    let well_known = "/.well-known/oauth-authorization-server";
    let document = Answer::of(http().get(stack.at(well_known))).await.json;
    for path in [
        format!("/{well_known}"),
        format!("/x/..{well_known}"),
        format!("{well_known}/../x"),
        "/%2ewell-known/oauth-authorization-server".into(),
        "/.well-known/oauth%2dauthorization-server".into(),
        "/.Well-Known/oauth-authorization-server".into(),
        "/.well-known/oauth-authorization-serverx".into(),
        "/.well-known/openid-configuration/evil".into(),
        format!("{well_known}/https://evil.test"),
    ] {
        let text = said(&stack.issuer, "GET", &path, "").await;
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        // Clients of any resource look behind the name, and find the one document.
        let is_the_document = serde_json::from_str::<Value>(body).is_ok_and(|it| it == document);
        assert!(status(&text) == 404 || is_the_document, "{path}: {text}");
        assert!(!is_the_document || !body.contains("evil"), "{path}: {text}");
    }
}

#[tokio::test]
async fn the_metadata_of_a_resource_is_constant_and_at_no_other_suffix() {
    let stack = Stack::start().await;
    let origin = stack.resource.strip_suffix("/mcp").unwrap();
    let place = format!("{origin}/.well-known/oauth-protected-resource");
    let plain = Answer::of(http().get(format!("{place}/mcp"))).await.json;
    for (name, value) in [
        ("x-forwarded-host", "evil.test"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-port", "444"),
        ("x-forwarded-prefix", "/evil"),
        ("x-original-url", "/evil"),
        ("forwarded", "for=evil.test;host=evil.test;proto=https"),
    ] {
        let answer = Answer::of(http().get(format!("{place}/mcp")).header(name, value)).await;
        assert_eq!(answer.json, plain, "{name}");
        let asked = Answer::of(http().post(&stack.resource).header(name, value)).await;
        let challenge = asked.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.contains(&format!("{place}/mcp")), "{name}: {challenge}");
    }
    for suffix in ["/evil", "/mcp/evil", "/MCP", "/mcp%2f", "/mcp;x", "/evil/mcp", "mcp"] {
        let answer = Answer::of(http().get(format!("{place}{suffix}"))).await;
        assert_eq!(answer.status, 404, "{suffix}");
    }
}

/// How frameworks let a request ask for another method.
const OVERRIDES: [&str; 4] =
    ["x-http-method-override", "x-http-method", "x-method-override", "x-method"];

#[tokio::test]
async fn the_method_is_that_of_the_request_line() {
    let stack = Stack::start().await;
    let request = json!({"redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"});
    let registered = Answer::of(http().post(stack.at("/register")).json(&request)).await;
    let place = registered.text("registration_client_uri");
    let token = registered.text("registration_access_token");
    let session_token = signed(&stack, &json!({}));
    let session = Session::open(&stack.resource, &session_token).await.unwrap();
    let status = async |request: RequestBuilder| Answer::of(request).await.status.as_u16();
    for name in OVERRIDES {
        let get = http().get(place).bearer_auth(token).header(name, "DELETE");
        assert_eq!(status(get).await, 200, "{name}");
        let list = session.request(Method::POST, &session_token).header(name, "DELETE");
        assert_eq!(status(list.json(&message("tools/list", json!({})))).await, 200, "{name}");
    }
    let query = format!("{place}?_method=DELETE");
    assert_eq!(status(http().get(query).bearer_auth(token)).await, 200);
    let form = http().post(place).bearer_auth(token).form(&[("_method", "DELETE")]);
    assert_eq!(status(form).await, 405);

    // What the line of the request says is done.
    assert_eq!(status(http().delete(place).bearer_auth(token)).await, 204);
    assert_eq!(status(http().get(place).bearer_auth(token)).await, 401);
    assert_eq!(status(session.request(Method::DELETE, &session_token)).await, 204);
    let list = send(&stack.resource, Wire::V2026, &session_token, "tools/list", json!({}));
    assert_eq!(list.await.status, 200);
}
