//! `POST /register`

mod configuration;

use serde_json::{Value, json};
use tests::{
    programs::client::{Answer, http},
    stack::Stack,
};

fn valid_request() -> Value {
    json!({
        "client_name": "Cursor",
        "redirect_uris": ["http://127.0.0.1/callback", "cursor://anysphere.cursor-mcp/oauth/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "application_type": "native",
        "software_id": "ignored",
    })
}

async fn register(stack: &Stack, request: &Value) -> Answer {
    Answer::of(http().post(stack.at("/register")).json(request)).await
}

async fn register_with(stack: &Stack, name: &str, value: Value) -> Answer {
    let mut request = valid_request();
    request[name] = value;
    register(stack, &request).await
}

#[tokio::test]
async fn the_answer_states_what_is_in_force_and_holds_no_null() {
    let stack = Stack::start().await;
    let answer = register(&stack, &valid_request()).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.headers["cache-control"], "no-store");
    for name in ["redirect_uris", "grant_types", "response_types", "token_endpoint_auth_method"] {
        assert_eq!(answer.json[name], valid_request()[name], "{name}");
    }
    assert!(answer.json["client_id_issued_at"].is_i64());
    assert_eq!(answer.json.get("client_secret"), None);
    assert!(answer.json.as_object().unwrap().values().all(|value| !value.is_null()));
}

#[tokio::test]
async fn a_client_that_does_not_say_how_it_authenticates_is_public() {
    let stack = Stack::start().await;
    let mut request = valid_request();
    request.as_object_mut().unwrap().remove("token_endpoint_auth_method");
    assert_eq!(register(&stack, &request).await.text("token_endpoint_auth_method"), "none");
}

#[tokio::test]
async fn a_confidential_client_gets_a_secret() {
    let stack = Stack::start().await;
    let answer =
        register_with(&stack, "token_endpoint_auth_method", json!("client_secret_basic")).await;
    assert!(answer.text("client_secret").starts_with("pck_"));
    assert_eq!(answer.json["client_secret_expires_at"], 0);
}

#[tokio::test]
async fn a_redirect_uri_to_a_dangerous_place_is_refused() {
    let stack = Stack::start().await;
    for uri in [
        json!([]),
        json!(["http://app.test/cb"]),
        json!(["https://app.test/cb#f"]),
        json!(["javascript:alert(1)//https://app.test/cb"]),
        json!(["https://app.test@evil.test/cb"]),
        json!(["http://127.0.0.1/cb", "data:text/html,x"]),
    ] {
        let answer = register_with(&stack, "redirect_uris", uri).await;
        assert_eq!(answer.text("error"), "invalid_redirect_uri");
        assert_eq!(answer.status, 400);
    }
}

#[tokio::test]
async fn unusable_metadata_is_refused() {
    let stack = Stack::start().await;
    for (name, value) in [
        ("client_name", json!("a\r\nb")),
        ("client_name", json!("\u{202e}evil")),
        ("client_name", json!("a".repeat(201))),
        ("client_name", json!(7)),
        ("redirect_uris", json!("http://127.0.0.1/cb")),
        ("grant_types", json!(["client_credentials"])),
        ("response_types", json!(["token"])),
        ("token_endpoint_auth_method", json!("tls_client_auth")),
        ("application_type", json!("desktop")),
    ] {
        let answer = register_with(&stack, name, value.clone()).await;
        assert_eq!(answer.text("error"), "invalid_client_metadata", "{name} {value}");
    }
    for body in ["", "[]", "{", "null"] {
        let request = http().post(stack.at("/register")).body(body);
        let answer = Answer::of(request.header("content-type", "application/json")).await;
        assert_eq!(answer.text("error"), "invalid_client_metadata", "{body:?}");
    }
}

/// A page of any site can make a browser send these, without asking us first.
#[tokio::test]
async fn what_is_not_sent_as_json_is_not_registered() {
    let stack = Stack::start().await;
    let send = async |media_type: Option<&str>| {
        let request = http().post(stack.at("/register")).body(valid_request().to_string());
        Answer::of(match media_type {
            Some(media_type) => request.header("content-type", media_type),
            None => request,
        })
        .await
    };
    let form = "application/x-www-form-urlencoded";
    for media_type in [None, Some("text/plain"), Some(form), Some("multipart/form-data")] {
        let answer = send(media_type).await;
        assert_eq!(
            (answer.status.as_u16(), answer.text("error")),
            (400, "invalid_client_metadata")
        );
    }
    for media_type in ["application/json", "Application/JSON; charset=utf-8"] {
        assert_eq!(send(Some(media_type)).await.status, 201, "{media_type}");
    }
}

#[tokio::test]
async fn nothing_can_be_granted_by_asking() {
    let stack = Stack::start().await;
    let grants = json!(["authorization_code", "client_credentials", "password"]);
    let answer = register_with(&stack, "grant_types", grants).await;
    assert_eq!(answer.json["grant_types"], json!(["authorization_code"]));
    let answer = register_with(&stack, "client_id", json!("mine")).await;
    assert_ne!(answer.text("client_id"), "mine");
}

#[tokio::test]
async fn a_statement_of_others_and_two_answers_to_one_question_are_refused() {
    let stack = Stack::start().await;
    for statement in [json!("eyJhbGciOiJub25lIn0.e30."), json!({}), json!(7)] {
        let answer = register_with(&stack, "software_statement", statement).await;
        let outcome = (answer.status.as_u16(), answer.text("error"));
        assert_eq!(outcome, (400, "unapproved_software_statement"));
    }
    let key = keys::SigningKey::generate(keys::Algorithm::ES256).unwrap();
    let mut request = valid_request();
    request["jwks"] = json!({"keys": [key.public_jwk()]});
    assert_eq!(register(&stack, &request).await.status, 201);
    request["jwks_uri"] = json!("https://example.com/keys");
    assert_eq!(register(&stack, &request).await.text("error"), "invalid_client_metadata");

    let twice =
        r#"{"redirect_uris": ["http://127.0.0.1/a"], "redirect_uris": ["http://127.0.0.1/b"]}"#;
    let request = http().post(stack.at("/register")).header("content-type", "application/json");
    let answer = Answer::of(request.body(twice)).await;
    assert_eq!(answer.text("error"), "invalid_client_metadata", "{}", answer.json);
}

#[tokio::test]
async fn a_wrong_member_is_named_and_one_that_says_nothing_is_absent() {
    let stack = Stack::start().await;
    for (name, value) in [
        ("client_name", json!(7)),
        ("redirect_uris", json!("http://127.0.0.1/cb")),
        ("redirect_uris", json!([7])),
        ("grant_types", json!("authorization_code")),
        ("scope", json!(["mcp:tools"])),
        ("contacts", json!(7)),
        ("dpop_bound_access_tokens", json!("true")),
        ("client_uri", json!({})),
    ] {
        let answer = register_with(&stack, name, value.clone()).await;
        if name == "contacts" {
            assert_eq!(answer.status, 201, "a member that is not read");
            continue;
        }
        let description = answer.text("error_description");
        assert!(description.contains(name), "{name} {value}: {description}");
    }
    for name in ["client_name", "client_uri", "scope", "jwks_uri", "response_types", "grant_types"]
    {
        for nothing in [Value::Null, json!(""), json!([])] {
            let answer = register_with(&stack, name, nothing.clone()).await;
            assert_eq!(answer.status, 201, "{name} {nothing}: {}", answer.json);
            assert_ne!(answer.json.get(name), Some(&nothing), "{name}");
        }
    }
}

#[tokio::test]
async fn an_address_that_no_page_would_show_is_dropped() {
    let stack = Stack::start().await;
    for name in ["client_uri", "logo_uri", "policy_uri", "tos_uri"] {
        for address in ["http://app.test", "", "javascript:alert(1)", "app.test"] {
            let answer = register_with(&stack, name, json!(address)).await;
            assert_eq!(answer.status, 201, "{name} {address}: {}", answer.json);
            assert_eq!(answer.json.get(name), None, "{name} {address}");
        }
        let answer = register_with(&stack, name, json!("https://app.test/about")).await;
        assert_eq!(answer.json[name], "https://app.test/about");
    }
    let answer = register_with(&stack, "jwks_uri", json!("http://app.test/keys")).await;
    assert_eq!(answer.text("error"), "invalid_client_metadata");
}

/// What mcp-use 2.5 sends, from npm.
#[tokio::test]
async fn a_program_that_leaves_its_address_empty_registers() {
    let stack = Stack::start().await;
    let request = json!({"client_name": "mcp-use", "client_uri": "", "logo_uri": "",
        "redirect_uris": ["http://127.0.0.1:3334/oauth/callback"], "scope": "",
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "token_endpoint_auth_method": "none"});
    let answer = register(&stack, &request).await;
    assert_eq!(answer.status, 201, "{}", answer.json);
    assert_eq!(answer.json.get("client_uri"), None);
}
