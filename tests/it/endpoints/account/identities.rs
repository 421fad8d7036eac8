//! `POST /account/identities`

use auth::storage::identities;
use futures::future::join_all;
use serde_json::Value;
use tests::{
    people::browser::{Browser, Page},
    programs::client::Client,
    stack::{Engine, Stack},
};
use uuid::Uuid;

use super::userinfo;
use crate::endpoints::sign_in;

const PATH: &str = "/account/identities";

/// From the account page, through the sign-in page and GitHub, back to it.
async fn sign_in_at_github(stack: &Stack, browser: &mut Browser) -> Page {
    let page = browser.open(&stack.at("/account")).await;
    let page = browser.send_form(&page, "/sign-in/github").await;
    browser.press(&page, "user", "nick-lucas").await
}

/// The account page of a person who can sign in at GitHub and, since just now, at the provider.
async fn two_ways(stack: &Stack, browser: &mut Browser) -> Page {
    let page = sign_in_at_github(stack, browser).await;
    stack.advance(1);
    let page = browser.send_form(&page, "/sign-in/example/link").await;
    assert_eq!(page.hidden_all("identity").len(), 2, "{}", page.text());
    page
}

async fn export(stack: &Stack, browser: &mut Browser) -> Value {
    let file = browser.open(&stack.at("/account/export")).await;
    serde_json::from_str(&file.html).unwrap()
}

fn user_id(export: &Value) -> Uuid {
    export["sub"].as_str().unwrap().parse().unwrap()
}

async fn unlink(stack: &Stack, browser: &mut Browser, identity: &str, csrf: &str) -> Page {
    let fields = [("identity", identity), ("csrf", csrf)];
    browser.post(&stack.at(PATH), &fields).await
}

#[tokio::test]
async fn an_unlinked_identity_is_another_user_from_then_on() {
    let (stack, _provider, _folder) = sign_in::with_provider().await;
    let mut browser = Browser::default();
    let page = two_ways(&stack, &mut browser).await;
    let before = export(&stack, &mut browser).await;
    let person = before["sub"].clone();
    let facts = |export: &Value| -> Vec<String> {
        export["facts"].as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(facts(&before), ["example", "github"]);
    // The oldest comes first.
    let page = browser.send_form(&page, PATH).await;
    assert_eq!((page.status.as_u16(), page.url.path()), (200, "/account"), "{}", page.text());
    for shown in
        ["GitHub\u{2069} is no longer a way", "A way to sign in was removed: “\u{2068}GitHub"]
    {
        assert!(page.text().contains(shown), "{shown}: {}", page.text());
    }
    assert!(!page.html.contains(PATH) && page.html.contains("/sign-in/github/link"));
    // What GitHub said speaks for the person no longer.
    assert_eq!(facts(&export(&stack, &mut browser).await), ["example"]);
    assert!(page.text().contains("your only way to sign in"), "{}", page.text());

    let mut again = Browser::default();
    sign_in_at_github(&stack, &mut again).await;
    assert_ne!(export(&stack, &mut again).await["sub"], person);
    let mut known = Browser::default();
    let page = known.open(&stack.at("/sign-in")).await;
    known.send_form(&page, "/sign-in/example").await;
    assert_eq!(export(&stack, &mut known).await["sub"], person);
}

#[tokio::test]
async fn the_last_way_to_sign_in_stays() {
    let (stack, _provider, _folder) = sign_in::with_provider().await;
    let mut browser = Browser::default();
    let page = two_ways(&stack, &mut browser).await;
    let last = page.hidden_all("identity")[1].clone();
    let page = browser.send_form(&page, PATH).await;
    // An identity at a provider that is no longer configured cannot sign in.
    let user = user_id(&export(&stack, &mut browser).await);
    let gone = identities::Model::new("gone", "1", user, 0);
    for others in ["none", "one that cannot sign in"] {
        let page = unlink(&stack, &mut browser, &last, &page.hidden("csrf")).await;
        assert_eq!(page.status, 403, "{others}");
        assert!(page.text().contains("identity_last"), "{others}: {}", page.text());
        identities::link(stack.state.db.connection(), gone.clone()).await.unwrap();
    }
    let page = browser.open(&stack.at("/account")).await;
    assert_eq!(page.hidden_all("identity").len(), 1, "{}", page.text());
    let page = browser.send_form(&page, PATH).await;
    assert!(page.text().contains("gone\u{2069} is no longer a way"), "{}", page.text());
}

#[tokio::test]
async fn a_browser_that_was_left_open_unlinks_nothing_before_a_new_sign_in() {
    let (stack, _provider, _folder) = sign_in::with_provider().await;
    let mut browser = Browser::default();
    let page = two_ways(&stack, &mut browser).await;
    stack.advance(601);
    let page = browser.send_form(&page, PATH).await;
    assert_eq!(page.url.path(), "/sign-in", "{}", page.text());
    assert!(page.text().contains("sign in again: this step"), "{}", page.text());

    let page = browser.send_form(&page, "/sign-in/github").await;
    let page = browser.press(&page, "user", "nick-lucas").await;
    assert_eq!(page.url.path(), "/account", "{}", page.text());
    assert_eq!(page.hidden_all("identity").len(), 2, "{}", page.text());
    let page = browser.send_form(&page, PATH).await;
    assert!(page.text().contains("is no longer a way to sign in"), "{}", page.text());
}

#[tokio::test]
async fn sessions_of_the_identity_end_and_clients_keep_their_access() {
    let (stack, _provider, _folder) = sign_in::with_provider().await;
    let mut browser = Browser::default();
    let mut elsewhere = Browser::default();
    let page = two_ways(&stack, &mut browser).await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut elsewhere).await;
    browser.send_form(&page, PATH).await;
    assert_eq!(elsewhere.open(&stack.at("/account")).await.url.path(), "/sign-in");
    assert_eq!(userinfo(&stack, &tokens).await, 200);
}

#[tokio::test]
async fn nobody_can_unlink_the_identity_of_another_user() {
    let (stack, _provider, _folder) = sign_in::with_provider().await;
    let mut browser = Browser::default();
    let page = two_ways(&stack, &mut browser).await;
    let identities = page.hidden_all("identity");

    let mut other = Browser::default();
    let sign_in = other.open(&stack.at("/sign-in?continue=/account")).await;
    let at_github = other.send_form(&sign_in, "/sign-in/github").await;
    let theirs = other.press(&at_github, "user", "ada-park").await;
    let answer = unlink(&stack, &mut other, &identities[1], &theirs.hidden("csrf")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(!answer.text().contains("no longer"), "{}", answer.text());
    let page = browser.open(&stack.at("/account")).await;
    assert_eq!(page.hidden_all("identity"), identities);
}

#[tokio::test]
async fn of_two_ways_that_are_removed_at_once_one_stays_on_either_engine() {
    for engine in Engine::ALL {
        let (stack, _provider, _folder) = sign_in::with_provider_on(engine).await;
        let mut browser = Browser::default();
        let page = two_ways(&stack, &mut browser).await;
        let csrf = page.hidden("csrf");
        let both = page.hidden_all("identity");
        let known = export(&stack, &mut browser).await;
        for round in 0..10 {
            let pages = join_all(both.iter().map(|identity| {
                let stack = &stack;
                let csrf = &csrf;
                let mut browser = browser.clone();
                async move { unlink(stack, &mut browser, identity, csrf).await }
            }));
            let refused = pages.await.iter().filter(|page| page.status == 403).count();
            let left = export(&stack, &mut browser).await["identities"].clone();
            let left = left.as_array().unwrap().len();
            assert_eq!((refused, left), (1, 1), "{engine:?}, round {round}");
            for identity in known["identities"].as_array().unwrap() {
                let [provider, subject] =
                    ["provider", "subject"].map(|member| identity[member].as_str().unwrap());
                let again = identities::Model::new(provider, subject, user_id(&known), 0);
                identities::link(stack.state.db.connection(), again).await.unwrap();
            }
        }
    }
}
