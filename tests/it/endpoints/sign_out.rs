//! `POST /sign-out`

use tests::{people::browser::Browser, programs::client::Client, stack::Stack};

#[tokio::test]
async fn signing_out_ends_the_session_and_keeps_what_programs_were_granted() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut browser).await;
    let page = browser.open(&stack.at("/")).await;
    let page = browser.send_form(&page, "/sign-out").await;
    assert_eq!(page.status, 200);
    let url = client.authorize_url(&client.authorize_parameters());
    assert_eq!(browser.open(&url).await.url.path(), "/sign-in");
    assert_eq!(client.refresh(tokens.text("refresh_token")).await.status, 200);
}

#[tokio::test]
async fn nobody_is_signed_out_by_a_forged_form() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let client = Client::register(&stack).await;
    client.obtain_code(&mut browser).await;
    let page = browser.post(&stack.at("/sign-out"), &[("csrf", "guessed")]).await;
    assert!(page.text().contains("sign_out_stale"), "{}", page.text());
    let url = client.authorize_url(&client.authorize_parameters());
    assert_eq!(browser.open(&url).await.url.path(), "/consent");
}
