//! `GET /account` and what can be done from it.

mod identities;
mod sessions;

use futures::future::join_all;
use reqwest::StatusCode;
use tests::{
    people::browser::{Browser, Page},
    programs::client::{Answer, Client, http},
    stack::{Engine, Stack},
};

/// A person who has signed in and allowed a client; the client, its tokens and the account page.
async fn account(stack: &Stack, browser: &mut Browser) -> (Client, Answer, Page) {
    let client = Client::register(stack).await;
    let tokens = client.obtain_tokens(browser).await;
    let page = browser.open(&stack.at("/account")).await;
    assert_eq!(page.url.path(), "/account", "{}", page.text());
    (client, tokens, page)
}

async fn userinfo(stack: &Stack, tokens: &Answer) -> StatusCode {
    let request = http().get(stack.at("/userinfo")).bearer_auth(tokens.text("access_token"));
    request.send().await.unwrap().status()
}

#[tokio::test]
async fn nobody_sees_it_without_signing_in_and_then_they_come_back_to_it() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let page = browser.open(&stack.at("/account")).await;
    assert_eq!(page.url.path(), "/sign-in");
    let page = browser.send_form(&page, "/sign-in/github").await;
    let page = browser.press(&page, "user", "nick-lucas").await;
    assert_eq!(page.url.path(), "/account");
    assert!(page.text().contains("No app has access"), "{}", page.text());
}

#[tokio::test]
async fn it_shows_apps_browsers_identities_and_events() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let (_, _, page) = account(&stack, &mut browser).await;
    let text = page.text();
    for shown in [
        "Test client",
        "Unverified",
        "MCP demo",
        "Use the tools of this server",
        "This browser",
        "this computer",
        "GitHub, account",
        "You signed in",
        "You allowed an app: “\u{2068}Test client\u{2069}”",
    ] {
        assert!(text.contains(shown), "{shown} is missing in: {text}");
    }
}

#[tokio::test]
async fn removing_access_ends_the_grant_and_says_so() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let (client, tokens, page) = account(&stack, &mut browser).await;
    assert_eq!(userinfo(&stack, &tokens).await, 200);
    let page = browser.send_form(&page, "/account/revoke").await;
    assert_eq!(page.url.path(), "/account");
    assert!(page.text().contains("The access of “\u{2068}Test client\u{2069}” was removed"));
    assert!(page.text().contains("No app has access"), "{}", page.text());
    assert!(page.text().contains("You removed the access of an app"), "{}", page.text());
    let refreshed = client.refresh(tokens.text("refresh_token")).await;
    assert_eq!(refreshed.text("error"), "invalid_grant");
    assert_eq!(userinfo(&stack, &tokens).await, 401);
}

#[tokio::test]
async fn only_the_named_installation_loses_its_access() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let (client, first, _) = account(&stack, &mut browser).await;
    let second = client.obtain_tokens(&mut browser).await;
    let page = browser.open(&stack.at("/account")).await;
    // The newest comes first.
    browser.send_form(&page, "/account/revoke").await;
    assert_eq!(userinfo(&stack, &second).await, 401);
    assert_eq!(userinfo(&stack, &first).await, 200);
}

#[tokio::test]
async fn nobody_can_remove_the_grant_of_another_user() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let (_, tokens, page) = account(&stack, &mut browser).await;
    let grant = page.hidden("grant");

    let mut other = Browser::default();
    let sign_in = other.open(&stack.at("/sign-in?continue=/account")).await;
    let at_github = other.send_form(&sign_in, "/sign-in/github").await;
    let theirs = other.press(&at_github, "user", "ada-park").await;
    let csrf = theirs.hidden("csrf");
    let form = [("grant", grant.as_str()), ("csrf", csrf.as_str())];
    let answer = other.post(&stack.at("/account/revoke"), &form).await;
    assert!(!answer.text().contains("Test client"), "{}", answer.text());
    assert_eq!(userinfo(&stack, &tokens).await, 200);
}

#[tokio::test]
async fn every_form_needs_the_proof_of_its_own_session() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let (_, tokens, page) = account(&stack, &mut browser).await;
    let grant = page.hidden("grant");
    for path in ["/account/revoke", "/account/sessions", "/account/identities", "/account/delete"] {
        let form = [("grant", grant.as_str()), ("session", &grant), ("sure", "yes")];
        let answer = browser.post(&stack.at(path), &form).await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(answer.text().contains("account_stale"), "{}", answer.text());
        let answer = Browser::default().post(&stack.at(path), &form).await;
        assert!(answer.text().contains("account_signed_out"), "{}", answer.text());
        assert!(answer.html.contains("href=\"/sign-in\""));
        let get = http().get(stack.at(path)).send().await.unwrap().status();
        assert!(get == 405 || path == "/account/delete", "{path} {get}");
    }
    assert_eq!(userinfo(&stack, &tokens).await, 200);
}

#[tokio::test]
async fn another_browser_can_be_signed_out_and_this_one_stays() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    account(&stack, &mut browser).await;
    let mut laptop = Browser::default();
    let (_, _, page) = account(&stack, &mut laptop).await;

    let page = laptop.send_form(&page, "/account/sessions").await;
    assert!(page.text().contains("That browser was signed out"), "{}", page.text());
    assert!(!page.html.contains("action=\"/account/sessions\""));
    assert_eq!(browser.open(&stack.at("/account")).await.url.path(), "/sign-in");
}

const COPIED: &str = "A copied token or code was used";

#[tokio::test]
async fn a_refresh_token_that_comes_back_late_is_told_to_the_person_once_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let mut browser = Browser::default();
        let (client, tokens, page) = account(&stack, &mut browser).await;
        assert!(!page.text().contains(COPIED));
        let old = tokens.text("refresh_token");
        client.refresh(old).await;
        client.refresh(old).await;
        stack.advance(120);
        for _ in 0..3 {
            assert_eq!(client.refresh(old).await.text("error"), "invalid_grant");
        }
        let text = browser.open(&stack.at("/account")).await.text();
        assert_eq!(text.matches(COPIED).count(), 1, "{engine:?}: {text}");
        assert!(text.contains("\u{201c}\u{2068}Test client\u{2069}\u{201d}"), "{text}");
        assert!(text.contains("No app has access"), "{engine:?}: {text}");
    }
}

#[tokio::test]
async fn a_code_that_comes_twice_is_told_to_the_person_once_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let mut browser = Browser::default();
        let client = Client::register(&stack).await;
        let form = client.code_form(&client.obtain_code(&mut browser).await);
        join_all((0..8).map(|_| client.post("/token", &form))).await;
        let text = browser.open(&stack.at("/account")).await.text();
        assert_eq!(text.matches(COPIED).count(), 1, "{engine:?}: {text}");
    }
}

#[tokio::test]
async fn a_long_list_of_apps_is_shown_page_by_page() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let client = Client::register(&stack).await;
    for _ in 0..9 {
        client.obtain_code(&mut browser).await;
    }
    let first = browser.open(&stack.at("/account")).await;
    assert_eq!(first.html.matches("action=\"/account/revoke\"").count(), 8);
    assert!(first.html.len() < 20_000, "{}", first.html.len());
    let second = browser.open(&stack.at("/account?page=2")).await;
    assert_eq!(second.html.matches("action=\"/account/revoke\"").count(), 1);
    assert!(second.html.contains("href=\"/account?page=1&amp;sessions=1#apps\""));
    assert_eq!(browser.open(&stack.at("/account?page=99999")).await.status, 200);
}

#[tokio::test]
async fn everything_known_of_a_person_is_one_download_without_a_secret() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let (_, tokens, _) = account(&stack, &mut browser).await;
    let file = browser.open(&stack.at("/account/export")).await;
    assert!(file.header("content-disposition").starts_with("attachment"));
    let json: serde_json::Value = serde_json::from_str(&file.html).unwrap();
    assert_eq!(json["name"], "Nick Lucas");
    assert_eq!(json["connected_apps"][0]["name"], "Test client");
    assert_eq!(json["identities"][0]["provider"], "github");
    assert_eq!(json["events"][0]["kind"], "data_exported");
    assert!(!file.html.contains("null") && !file.html.contains("hash"));
    assert!(!file.html.contains(tokens.text("refresh_token")));
    let alone = Browser::default().open(&stack.at("/account/export")).await;
    assert_eq!(alone.url.path(), "/sign-in");
}

#[tokio::test]
async fn deleting_the_account_erases_the_person_and_ends_everything() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let (client, tokens, _) = account(&stack, &mut browser).await;
    let page = browser.open(&stack.at("/account/delete")).await;

    let csrf = page.hidden("csrf");
    let unsure = browser.post(&stack.at("/account/delete"), &[("csrf", &csrf)]).await;
    assert!(unsure.text().contains("Tick the box"), "{}", unsure.text());
    assert_eq!(userinfo(&stack, &tokens).await, 200);

    let form = [("csrf", csrf.as_str()), ("sure", "yes")];
    let gone = browser.post(&stack.at("/account/delete"), &form).await;
    assert!(gone.text().contains("Your account is gone"), "{}", gone.text());
    assert_eq!(userinfo(&stack, &tokens).await, 401);
    let refreshed = client.refresh(tokens.text("refresh_token")).await;
    assert_eq!(refreshed.text("error"), "invalid_grant");
    assert_eq!(browser.open(&stack.at("/account")).await.url.path(), "/sign-in");

    let (_, _, again) = account(&stack, &mut Browser::default()).await;
    assert_eq!(again.html.matches("action=\"/account/revoke\"").count(), 1);
}

#[tokio::test]
async fn an_account_is_deleted_only_soon_after_a_sign_in() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    account(&stack, &mut browser).await;
    let page = browser.open(&stack.at("/account/delete")).await;
    let csrf = page.hidden("csrf");
    stack.advance(601);
    let form = [("csrf", csrf.as_str()), ("sure", "yes")];
    let page = browser.post(&stack.at("/account/delete"), &form).await;
    assert_eq!(page.url.path(), "/sign-in", "{}", page.text());
    assert!(page.text().contains("sign in again: this step"), "{}", page.text());
    let page = browser.open(&stack.at("/account/delete")).await;
    assert_eq!(page.url.path(), "/sign-in");
}
