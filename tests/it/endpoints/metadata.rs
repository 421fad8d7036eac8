//! `GET /.well-known/oauth-authorization-server` and `GET /.well-known/openid-configuration`

use reqwest::{Method, RequestBuilder, header::HeaderName};
use serde_json::{Value, json};
use tests::{
    programs::client::{Answer, http},
    stack::Stack,
};

use super::device_authorization::{register, valid_request};

async fn document(stack: &Stack, path: &str) -> Answer {
    Answer::of(http().get(stack.at(path))).await
}

#[tokio::test]
async fn the_same_document_is_served_wherever_clients_look() {
    let stack = Stack::start().await;
    let first = document(&stack, "/.well-known/oauth-authorization-server").await.json;
    for path in [
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/mcp",
        "/.well-known/openid-configuration/mcp",
        "/mcp/.well-known/openid-configuration",
    ] {
        assert_eq!(document(&stack, path).await.json, first, "{path}");
    }
}

#[tokio::test]
async fn a_client_with_the_document_from_one_path_gets_304_at_any_other() {
    let stack = Stack::start().await;
    let tag = document(&stack, "/.well-known/openid-configuration").await.headers["etag"].clone();
    let place = stack.at("/.well-known/oauth-authorization-server/mcp");
    let answer = Answer::of(http().get(place).header("if-none-match", tag)).await;
    assert_eq!(answer.status, 304);
    assert_eq!(answer.headers["cache-control"], "public, max-age=300");
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
}

#[tokio::test]
async fn the_issuer_is_the_configured_string_without_a_slash() {
    let stack = Stack::start().await;
    let answer = document(&stack, "/.well-known/oauth-authorization-server").await;
    assert_eq!(answer.text("issuer"), stack.issuer);
    assert!(!answer.text("issuer").ends_with('/'));
}

#[tokio::test]
async fn every_advertised_endpoint_answers() {
    let stack = Stack::start().await;
    let answer = document(&stack, "/.well-known/oauth-authorization-server").await;
    for (name, url) in answer.json.as_object().unwrap() {
        if name.ends_with("_endpoint") || name == "jwks_uri" {
            let status = http().get(url.as_str().unwrap()).send().await.unwrap().status();
            assert_ne!(status, 404, "{name}");
        }
    }
}

#[tokio::test]
async fn only_s256_and_no_null_is_advertised_and_offline_access_is_not() {
    let stack = Stack::start().await;
    let json = document(&stack, "/.well-known/oauth-authorization-server").await.json;
    assert_eq!(json["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    assert!(
        json["token_endpoint_auth_methods_supported"].as_array().unwrap().contains(&"none".into())
    );
    assert_eq!(json["authorization_response_iss_parameter_supported"], true);
    assert!(!json["scopes_supported"].as_array().unwrap().contains(&"offline_access".into()));
    assert!(json.as_object().unwrap().values().all(|value| *value != Value::Null));
}

#[tokio::test]
async fn any_origin_may_read_it() {
    let stack = Stack::start().await;
    let request = http().get(stack.at("/.well-known/oauth-authorization-server"));
    let answer = request.header("origin", "http://localhost:6274").send().await.unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    assert!(!answer.headers().contains_key("access-control-allow-credentials"));
}

/// Headers by which a request may pretend to be for another host.
const FOREIGN: [(&str, &str); 7] = [
    ("host", "evil.test"),
    ("x-forwarded-host", "evil.test"),
    ("x-forwarded-server", "evil.test"),
    ("x-forwarded-proto", "ftp"),
    ("x-forwarded-port", "1"),
    ("x-original-url", "/evil.test"),
    ("forwarded", "for=evil.test;host=evil.test;proto=ftp"),
];

#[tokio::test]
async fn a_foreign_host_header_changes_nothing() {
    let stack = Stack::start().await;
    let client = register(&stack).await;
    let form = valid_request(&client, &stack);
    let registration = json!({"redirect_uris": ["http://127.0.0.1/callback"]});
    let text = async |request: RequestBuilder| request.send().await.unwrap().text().await.unwrap();
    for (name, value) in FOREIGN {
        for document in ["oauth-authorization-server", "openid-configuration"] {
            let ask = || http().get(stack.at(&format!("/.well-known/{document}")));
            let pretended = text(ask().header(name, value)).await;
            assert_eq!(pretended, text(ask()).await, "{name} {document}");
        }
        let post = |path: &str| http().post(stack.at(path)).header(name, value);
        let registered = Answer::of(post("/register").json(&registration)).await;
        let uri = registered.text("registration_client_uri");
        assert!(uri.starts_with(&stack.at("/register/")), "{name}: {}", registered.json);
        let device = Answer::of(post("/device_authorization").form(&form)).await;
        assert_eq!(device.text("verification_uri"), stack.at("/device"), "{name}");
        let departure = post("/sign-in/github").form(&[("continue", "/")]).send().await.unwrap();
        let location = departure.headers()["location"].to_str().unwrap();
        assert!(location.starts_with(&stack.github), "{name}: {location}");
        assert!(!location.contains("evil") && !location.contains("ftp"), "{name}: {location}");
    }
}

#[tokio::test]
async fn only_what_programs_in_browsers_need_may_be_called_from_other_origins() {
    let stack = Stack::start().await;
    let ask = async |method: Method, path: &str| {
        let request = http().request(method, stack.at(path)).header("origin", "https://evil.test");
        let request = request.header("access-control-request-method", "POST");
        request.send().await.unwrap().headers().clone()
    };
    for path in [
        "/token",
        "/par",
        "/revoke",
        "/register",
        "/userinfo",
        "/device_authorization",
        "/jwks",
        "/.well-known/oauth-authorization-server",
    ] {
        for method in [Method::GET, Method::POST, Method::OPTIONS] {
            let headers = ask(method, path).await;
            assert_eq!(headers["access-control-allow-origin"], "*", "{path}");
            assert!(!headers.contains_key("access-control-allow-credentials"), "{path}");
        }
    }
    for path in
        ["/introspect", "/authorize", "/consent", "/end_session", "/account", "/sign-in", "/device"]
    {
        for method in [Method::GET, Method::POST, Method::OPTIONS] {
            let headers = ask(method, path).await;
            let mut names = headers.keys().map(HeaderName::as_str);
            assert!(!names.any(|name| name.starts_with("access-control-")), "{path}: {headers:?}");
        }
    }
}
