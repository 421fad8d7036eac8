//! `POST /token`

mod authorization_code;
mod client_credentials;
mod device_code;
mod dpop;
mod impossible_grants;
mod jwt_bearer;
mod refresh_token;
mod token_exchange;

use serde_json::json;
use tests::{
    people::browser::Browser,
    programs::client::{Answer, Client, http, with, without},
    stack::Stack,
};

#[tokio::test]
async fn an_unknown_client_is_401_before_anything_else_is_judged() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let form = with(client.code_form("unknown"), "client_id", "unknown");
    let answer = client.post("/token", &form).await;
    assert_eq!((answer.status.as_u16(), answer.text("error")), (401, "invalid_client"));
    assert_eq!(answer.headers["www-authenticate"], "Basic realm=\"token\"");
    assert_eq!(answer.headers["cache-control"], "no-store");
}

#[tokio::test]
async fn a_registration_of_another_server_is_unknown_here() {
    let stack = Stack::start().await;
    let other = Stack::start().await;
    let client = Client::register(&stack).await;
    let foreign = Client::register(&other).await;
    let form = with(client.code_form("x"), "client_id", &foreign.id);
    assert_eq!(client.post("/token", &form).await.text("error"), "invalid_client");
}

#[tokio::test]
async fn grants_that_are_not_served_are_unsupported() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    for grant in ["password", "implicit", "AUTHORIZATION_CODE", "device_code"] {
        let form = with(client.code_form("x"), "grant_type", grant);
        assert_eq!(client.post("/token", &form).await.text("error"), "unsupported_grant_type");
    }
    let form = without(client.code_form("x"), "grant_type");
    assert_eq!(client.post("/token", &form).await.text("error"), "invalid_request");
}

#[tokio::test]
async fn a_client_without_the_refresh_grant_gets_no_refresh_token() {
    let stack = Stack::start().await;
    let metadata = json!({"grant_types": ["authorization_code"]});
    let client = Client::register_as(&stack, metadata).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    assert_eq!(tokens.json.get("refresh_token"), None);
    assert_eq!(client.refresh("pcr_x").await.text("error"), "unauthorized_client");
}

#[tokio::test]
async fn a_confidential_client_must_prove_itself_by_its_registered_method() {
    let stack = Stack::start().await;
    let metadata = json!({"token_endpoint_auth_method": "client_secret_basic"});
    let client = Client::register_as(&stack, metadata).await;
    let secret = client.secret.clone().unwrap();
    let code = client.obtain_code(&mut Browser::default()).await;
    let form = client.code_form(&code);

    let bare = client.post("/token", &form).await;
    assert_eq!(bare.text("error"), "invalid_client");
    let in_body = client.post("/token", &with(form.clone(), "client_secret", &secret)).await;
    assert_eq!(in_body.text("error"), "invalid_client");
    let url = stack.at("/token");
    let wrong = http().post(&url).basic_auth(&client.id, Some("pck_wrong")).form(&form);
    assert_eq!(Answer::of(wrong).await.text("error"), "invalid_client");
    let right = http().post(&url).basic_auth(&client.id, Some(&secret)).form(&form);
    assert_eq!(Answer::of(right).await.status, 200);
}

#[tokio::test]
async fn bodies_that_are_no_form_are_refused() {
    let stack = Stack::start().await;
    let url = stack.at("/token");
    for (media_type, body) in [
        ("application/json", "{}"),
        ("text/plain", "grant_type=authorization_code"),
        ("application/x-www-form-urlencoded; charset=utf-16", "grant_type=x"),
        ("application/x-www-form-urlencoded", "client_id=%ff"),
        ("application/x-www-form-urlencoded", "client_id=a&client_id=a"),
    ] {
        let request = http().post(&url).header("content-type", media_type).body(body);
        let answer = Answer::of(request).await;
        assert_eq!((answer.status.as_u16(), answer.text("error")), (400, "invalid_request"));
    }
    let large = format!("client_id={}", "a".repeat(70_000));
    let request = http().post(&url).header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(Answer::of(request.body(large)).await.status, 400);
    assert_eq!(http().get(&url).send().await.unwrap().status(), 405);
}
