//! `POST /register`

use serde_json::{Value, json};
use tests::{
    programs::client::{Answer, http},
    stack::Stack,
};

use super::{OVERSIZED, assert_is_error};

fn valid_request() -> Value {
    json!({
        "client_name": "Test client",
        "redirect_uris": ["http://127.0.0.1/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "application_type": "native",
        "scope": "mcp:tools",
        "client_uri": "https://example.com/",
        "logo_uri": "https://example.com/logo",
        "policy_uri": "https://example.com/policy",
        "tos_uri": "https://example.com/terms",
        "contacts": ["a@example.com"],
        "jwks_uri": "https://example.com/keys",
        "jwks": {"keys": []},
        "post_logout_redirect_uris": ["http://127.0.0.1/signed-out"],
    })
}

async fn register(stack: &Stack, body: impl Into<reqwest::Body>) -> Answer {
    let request = http().post(stack.at("/register")).header("content-type", "application/json");
    Answer::of(request.body(body)).await
}

#[tokio::test]
async fn every_member_of_the_wrong_type_is_refused_or_left_out() {
    let stack = Stack::start().await;
    let wrong = [
        Value::Null,
        json!(7),
        json!(-1.5e300),
        json!(true),
        json!(""),
        json!("\u{0}\u{202e}"),
        json!([]),
        json!([7]),
        json!([null]),
        json!([["nested"]]),
        json!({}),
        json!({"a": {"b": []}}),
        json!("a".repeat(30_000)),
        json!(vec!["https://example.com/"; 1_000]),
    ];
    for name in valid_request().as_object().unwrap().keys() {
        for value in &wrong {
            let mut request = valid_request();
            request[name] = value.clone();
            let answer = register(&stack, request.to_string()).await;
            let shown: String = value.to_string().chars().take(40).collect();
            let context = format!("{name} = {shown}");
            if answer.status == 201 {
                assert!(answer.json.as_object().unwrap().values().all(|it| !it.is_null()));
                continue;
            }
            let error = assert_is_error(&answer, &context);
            let known = ["invalid_client_metadata", "invalid_redirect_uri", "invalid_request"];
            assert!(known.contains(&error.as_str()), "{context}: {}", answer.json);
        }
    }
}

#[tokio::test]
async fn an_address_that_could_pass_for_an_answer_or_is_not_the_clients_own_is_refused() {
    let stack = Stack::start().await;
    for uri in [
        "https://app.test/cb?code=x",
        "https://app.test/cb?a=b&%73tate=x",
        "http://127.0.0.1/callback?iss=https://evil.test",
        "com.example.app:/cb?error=x",
        "myapp://cb",
        "microsoft-edge:https://evil.test",
        "shell:startup",
        "search:x",
        "itms-services://?url=x",
        "vnc://evil.test",
        "git+ssh://evil.test",
    ] {
        for name in ["redirect_uris", "post_logout_redirect_uris"] {
            let mut request = valid_request();
            request.as_object_mut().unwrap().remove("jwks");
            request[name] = json!(["http://127.0.0.1/callback", uri]);
            let answer = register(&stack, request.to_string()).await;
            let error = assert_is_error(&answer, uri);
            assert!(error.starts_with("invalid_"), "{name} {uri}: {}", answer.json);
        }
    }
}

#[tokio::test]
async fn a_registration_for_thousands_of_scopes_is_refused() {
    let stack = Stack::start().await;
    let mut request = valid_request();
    request.as_object_mut().unwrap().remove("jwks");
    assert_eq!(register(&stack, request.to_string()).await.status, 201);
    request["scope"] = json!(super::thousands_of_scopes());
    let error = assert_is_error(&register(&stack, request.to_string()).await, "scope");
    assert_eq!(error, "invalid_client_metadata");
}

#[tokio::test]
async fn a_body_that_is_no_object_is_refused() {
    let stack = Stack::start().await;
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let large =
        json!({"redirect_uris": ["http://127.0.0.1/"], "client_name": "a".repeat(OVERSIZED)});
    for body in [
        Vec::new(),
        b"{".to_vec(),
        b"[]".to_vec(),
        b"null".to_vec(),
        b"7".to_vec(),
        b"\"text\"".to_vec(),
        b"{\"client_name\": \"\xff\xfe\"}".to_vec(),
        b"redirect_uris=http://127.0.0.1/".to_vec(),
        deep.into_bytes(),
        large.to_string().into_bytes(),
    ] {
        let shown = String::from_utf8_lossy(&body).chars().take(40).collect::<String>();
        let answer = register(&stack, body).await;
        assert_is_error(&answer, &shown);
    }
}
