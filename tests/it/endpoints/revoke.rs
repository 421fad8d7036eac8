//! `POST /revoke`

use tests::{
    people::browser::Browser,
    programs::client::{Answer, Client, http},
    stack::{Stack, access_token::claims},
};

async fn revoke(client: &Client, token: &str) -> Answer {
    client.post("/revoke", &[("client_id", client.id.clone()), ("token", token.into())]).await
}

async fn is_live(stack: &Stack, tokens: &Answer) -> bool {
    let request = http().get(stack.at("/userinfo")).bearer_auth(tokens.text("access_token"));
    Answer::of(request).await.status == 200
}

#[tokio::test]
async fn giving_back_a_refresh_token_of_any_generation_ends_the_grant() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let first = client.obtain_tokens(&mut Browser::default()).await;
    let second = client.refresh(first.text("refresh_token")).await;
    assert_eq!(revoke(&client, first.text("refresh_token")).await.status, 200);
    let refreshed = client.refresh(second.text("refresh_token")).await;
    assert_eq!(refreshed.text("error"), "invalid_grant");
    assert!(!is_live(&stack, &first).await && !is_live(&stack, &second).await);
}

#[tokio::test]
async fn an_access_token_ends_alone_and_everybody_can_learn_of_it() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let first = client.obtain_tokens(&mut Browser::default()).await;
    let second = client.refresh(first.text("refresh_token")).await;
    assert_eq!(revoke(&client, first.text("access_token")).await.status, 200);
    assert!(!is_live(&stack, &first).await);
    assert!(is_live(&stack, &second).await);
    assert_eq!(client.refresh(second.text("refresh_token")).await.status, 200);
    let listed = Answer::of(http().get(stack.at("/revocations"))).await;
    let jti = claims(first.text("access_token"))["jti"].clone();
    assert_eq!(listed.json["revoked"][0]["id"], jti);
}

#[tokio::test]
async fn an_unknown_token_is_no_error() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    for token in ["x", "a.b.c", "pcr_x"] {
        assert_eq!(revoke(&client, token).await.status, 200);
    }
}

#[tokio::test]
async fn nobody_revokes_what_is_not_theirs() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    let other = Client::register_as(&stack, serde_json::json!({"client_name": "Other"})).await;
    revoke(&other, tokens.text("refresh_token")).await;
    revoke(&other, tokens.text("access_token")).await;
    assert!(is_live(&stack, &tokens).await);
    assert_eq!(client.refresh(tokens.text("refresh_token")).await.status, 200);
}
