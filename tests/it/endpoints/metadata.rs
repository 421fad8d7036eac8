//! `GET /.well-known/oauth-authorization-server` and `GET /.well-known/openid-configuration`

use serde_json::Value;
use tests::{
    client::{Answer, http},
    stack::Stack,
};

async fn document(stack: &Stack, path: &str) -> Answer {
    Answer::of(http().get(stack.at(path))).await
}

#[tokio::test]
async fn the_same_document_stands_wherever_clients_look() {
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
