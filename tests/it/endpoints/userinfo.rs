//! `GET /userinfo`

use tests::{
    browser::Browser,
    client::{Answer, Client, http},
    stack::Stack,
};

#[tokio::test]
async fn it_tells_what_the_scopes_reveal() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    let request = http().get(stack.at("/userinfo")).bearer_auth(tokens.text("access_token"));
    let answer = Answer::of(request).await;
    assert_eq!(answer.text("name"), "Nick Lucas");
    assert_eq!(answer.text("email"), "nick-lucas@example.com");
    assert_eq!(answer.json["email_verified"], true);
}

#[tokio::test]
async fn anything_but_a_live_access_token_is_challenged() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    for token in [tokens.text("refresh_token"), "x", "a.b.c"] {
        let request = http().get(stack.at("/userinfo")).bearer_auth(token);
        let answer = Answer::of(request).await;
        assert_eq!((answer.status.as_u16(), answer.text("error")), (401, "invalid_token"));
        let challenge = answer.headers["www-authenticate"].to_str().unwrap();
        assert!(challenge.starts_with("Bearer error=\"invalid_token\""));
    }
    stack.advance(900);
    let request = http().get(stack.at("/userinfo")).bearer_auth(tokens.text("access_token"));
    assert_eq!(Answer::of(request).await.status, 401);
}
