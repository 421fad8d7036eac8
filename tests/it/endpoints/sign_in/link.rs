//! `POST /sign-in/{provider}/link`

use serde_json::json;
use tests::{
    people::browser::{Browser, Page},
    programs::client::Client,
    stack::{Stack, access_token},
};

use super::{subject, with_provider};

/// Signs in at GitHub; the page of a person who is signed in.
async fn sign_in_at_github(stack: &Stack, browser: &mut Browser, user: &str) -> Page {
    let page = browser.open(&stack.at("/sign-in")).await;
    let page = browser.send_form(&page, "/sign-in/github").await;
    browser.press(&page, "user", user).await
}

async fn link(stack: &Stack, browser: &mut Browser, csrf: &str) -> Page {
    let fields = [("csrf", csrf), ("continue", "/")];
    browser.post(&stack.at("/sign-in/example/link"), &fields).await
}

async fn sign_in_at_example(stack: &Stack, browser: &mut Browser) -> Page {
    let page = browser.open(&stack.at("/sign-in")).await;
    browser.send_form(&page, "/sign-in/example").await
}

#[tokio::test]
async fn after_linking_both_identities_are_one_person() {
    let (stack, _provider, _folder) = with_provider().await;
    let mut browser = Browser::default();
    let page = sign_in_at_github(&stack, &mut browser, "nick-lucas").await;
    let page = link(&stack, &mut browser, &page.hidden("csrf")).await;
    assert_eq!((page.status.as_u16(), page.url.path()), (200, "/"), "{}", page.text());
    // Once more changes nothing.
    let page = link(&stack, &mut browser, &page.hidden("csrf")).await;
    assert_eq!(page.status, 200, "{}", page.text());

    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    let at_github = access_token::claims(tokens.text("access_token"))["sub"].clone();
    assert_eq!(subject(&client, &mut Browser::default()).await, at_github);
}

#[tokio::test]
async fn a_browser_that_was_left_open_links_nothing_before_a_new_sign_in() {
    let (stack, _provider, _folder) = with_provider().await;
    let mut browser = Browser::default();
    let page = sign_in_at_github(&stack, &mut browser, "nick-lucas").await;
    stack.advance(601);
    let page = link(&stack, &mut browser, &page.hidden("csrf")).await;
    assert_eq!((page.status.as_u16(), page.url.path()), (200, "/sign-in"), "{}", page.text());

    let page = browser.send_form(&page, "/sign-in/github").await;
    let page = browser.press(&page, "user", "nick-lucas").await;
    let page = link(&stack, &mut browser, &page.hidden("csrf")).await;
    assert_eq!((page.status.as_u16(), page.url.path()), (200, "/"), "{}", page.text());
}

#[tokio::test]
async fn the_identity_of_another_user_is_not_taken_over() {
    let (stack, _provider, _folder) = with_provider().await;
    sign_in_at_example(&stack, &mut Browser::default()).await;
    let mut browser = Browser::default();
    let page = sign_in_at_github(&stack, &mut browser, "ada-park").await;
    let page = link(&stack, &mut browser, &page.hidden("csrf")).await;
    assert_eq!(page.status, 403);
    assert!(page.text().contains("link_taken"), "{}", page.text());
}

#[tokio::test]
async fn an_identity_without_a_verified_address_is_not_linked() {
    let (stack, provider, _folder) = with_provider().await;
    for claims in [
        json!({"sub": "7", "email": "ada@example.com"}),
        json!({"sub": "7", "email": "ada@example.com", "email_verified": false}),
        json!({"sub": "7", "email_verified": true}),
    ] {
        provider.seat(claims.clone());
        let mut browser = Browser::default();
        let page = sign_in_at_github(&stack, &mut browser, "ada-park").await;
        let page = link(&stack, &mut browser, &page.hidden("csrf")).await;
        assert!(page.text().contains("link_unverified"), "{claims}: {}", page.text());
    }
}

#[tokio::test]
async fn only_the_session_that_asked_is_linked() {
    let (stack, provider, _folder) = with_provider().await;
    let mut browser = Browser::default();
    let page = sign_in_at_github(&stack, &mut browser, "ada-park").await;
    // The provider redirects the browser back only after another user has signed in there.
    let csrf = page.hidden("csrf");
    provider.hold();
    let held = link(&stack, &mut browser, &csrf).await;
    let page = browser.open(&stack.at("/")).await;
    browser.send_form(&page, "/sign-out").await;
    sign_in_at_github(&stack, &mut browser, "nick-lucas").await;
    let page = browser.open(&held.text()).await;
    assert!(page.text().contains("link_stale"), "{}", page.text());
}

#[tokio::test]
async fn linking_needs_a_form_of_this_session() {
    let (stack, _provider, _folder) = with_provider().await;
    let mut browser = Browser::default();
    let page = link(&stack, &mut browser, "anything").await;
    assert!(page.text().contains("link_stale"), "{}", page.text());
    sign_in_at_github(&stack, &mut browser, "ada-park").await;
    for csrf in ["", "anything"] {
        let page = link(&stack, &mut browser, csrf).await;
        assert!(page.text().contains("link_stale"), "{}", page.text());
    }
}

#[tokio::test]
async fn the_account_page_offers_what_is_not_linked_yet() {
    let (stack, _provider, _folder) = with_provider().await;
    let mut browser = Browser::default();
    sign_in_at_github(&stack, &mut browser, "ada-park").await;
    let page = browser.open(&stack.at("/account")).await;
    let page = browser.send_form(&page, "/sign-in/example/link").await;
    assert_eq!((page.status.as_u16(), page.url.path()), (200, "/account"), "{}", page.text());
    assert!(page.text().contains("Example ID"), "{}", page.text());
    assert!(!page.html.contains("/sign-in/example/link"), "{}", page.html);
}
