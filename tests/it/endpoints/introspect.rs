//! `POST /introspect`

use serde_json::json;
use tests::{
    browser::Browser,
    client::{Answer, Client, http},
    stack::Stack,
};

async fn confidential(stack: &Stack) -> Client {
    Client::register_as(stack, json!({"token_endpoint_auth_method": "client_secret_post"})).await
}

async fn introspect(stack: &Stack, client: &Client, token: &str) -> Answer {
    let form = [
        ("client_id", client.id.as_str()),
        ("client_secret", client.secret.as_deref().unwrap_or_default()),
        ("token", token),
    ];
    Answer::of(http().post(stack.at("/introspect")).form(&form)).await
}

async fn tokens(stack: &Stack, client: &Client) -> Answer {
    let code = client.obtain_code(&mut Browser::default()).await;
    let mut form = client.code_form(&code);
    form.push(("client_secret", client.secret.clone().unwrap()));
    let answer = client.post("/token", &form).await;
    assert_eq!(answer.status, 200, "{} at {}", answer.json, stack.issuer);
    answer
}

#[tokio::test]
async fn the_client_that_holds_a_token_learns_what_it_is() {
    let stack = Stack::start().await;
    let client = confidential(&stack).await;
    let tokens = tokens(&stack, &client).await;
    let answer = introspect(&stack, &client, tokens.text("access_token")).await;
    assert_eq!(answer.json["active"], true);
    assert_eq!(answer.text("aud"), stack.resource);
    assert_eq!(answer.text("scope"), "mcp:tools profile email");
    let answer = introspect(&stack, &client, tokens.text("refresh_token")).await;
    assert_eq!(
        (answer.json["active"].as_bool(), answer.text("token_type")),
        (Some(true), "refresh_token")
    );
}

#[tokio::test]
async fn whoever_else_asks_learns_only_that_it_is_not_active() {
    let stack = Stack::start().await;
    let client = confidential(&stack).await;
    let tokens = tokens(&stack, &client).await;
    let other = Client::register_as(
        &stack,
        json!({"client_name": "Other", "token_endpoint_auth_method": "client_secret_post"}),
    )
    .await;
    for token in [tokens.text("access_token"), tokens.text("refresh_token"), "x", "a.b.c"] {
        let answer = introspect(&stack, &other, token).await;
        assert_eq!(answer.json, json!({"active": false}));
    }
}

#[tokio::test]
async fn a_public_client_may_not_ask() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let answer = client
        .post("/introspect", &[("client_id", client.id.clone()), ("token", "x".into())])
        .await;
    assert_eq!((answer.status.as_u16(), answer.text("error")), (401, "invalid_client"));
}
