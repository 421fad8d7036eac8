//! `POST /revoke`

use tests::{
    browser::Browser,
    client::{Answer, Client, http},
    stack::Stack,
};

async fn revoke(client: &Client, token: &str) -> Answer {
    client.post("/revoke", &[("client_id", client.id.clone()), ("token", token.into())]).await
}

#[tokio::test]
async fn giving_back_either_token_ends_the_grant() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    for kind in ["refresh_token", "access_token"] {
        let tokens = client.obtain_tokens(&mut Browser::default()).await;
        assert_eq!(revoke(&client, tokens.text(kind)).await.status, 200);
        let refreshed = client.refresh(tokens.text("refresh_token")).await;
        assert_eq!(refreshed.text("error"), "invalid_grant", "{kind}");
        let request = http().get(stack.at("/userinfo")).bearer_auth(tokens.text("access_token"));
        assert_eq!(Answer::of(request).await.status, 401, "{kind}");
    }
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
    assert_eq!(client.refresh(tokens.text("refresh_token")).await.status, 200);
}
