//! `POST /account/sessions`, and how the sessions are shown.

use auth::storage::sessions;
use tests::{
    people::browser::{Browser, Page},
    stack::{Engine, Stack},
};
use uuid::Uuid;

use super::{account, userinfo};

/// Opens further sessions of the person whose account the browser shows, each used later than it.
async fn open_sessions(stack: &Stack, browser: &mut Browser, count: i64) {
    let export = browser.open(&stack.at("/account/export")).await.html;
    let export: serde_json::Value = serde_json::from_str(&export).unwrap();
    let user_id = export["sub"].as_str().unwrap().parse().unwrap();
    let now = stack.state.clock.now();
    for number in 1..=count {
        let session = sessions::Model {
            token_hash: format!("session {number}"),
            user_id,
            authenticated_at: now,
            expires_at: now + 3600,
            id: Uuid::now_v7(),
            device: format!("Browser {number}"),
            network: "203.0.113.0/24".into(),
            last_seen_at: now + number,
        };
        sessions::open(stack.state.db.connection(), session).await.unwrap();
    }
}

async fn end_others(stack: &Stack, browser: &mut Browser, page: &Page) -> Page {
    assert_eq!(page.hidden_all("session").last().unwrap(), "others");
    let fields = [("session", "others"), ("csrf", &page.hidden("csrf"))];
    browser.post(&stack.at("/account/sessions"), &fields).await
}

#[tokio::test]
async fn all_sessions_are_shown_page_by_page_this_one_first() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let (_, _, page) = account(&stack, &mut browser).await;
    assert!(!page.html.contains("#sessions\""), "{}", page.html);
    open_sessions(&stack, &mut browser, 17).await;

    let first = browser.open(&stack.at("/account")).await;
    assert!(first.text().contains("This browser") && first.text().contains("Browser 17"));
    assert!(!first.text().contains("Browser 10,"), "{}", first.text());
    assert!(first.html.contains("href=\"/account?page=1&amp;sessions=2#sessions\""));
    let third = browser.open(&stack.at("/account?page=1&sessions=3")).await;
    assert!(third.text().contains("Browser 1,") && third.text().contains("Browser 2,"));
    assert!(!third.text().contains("This browser"), "{}", third.text());
    assert!(!third.html.contains("sessions=4"), "{}", third.html);
    for number in ["0", "99999", "-1", "x"] {
        let page = browser.open(&stack.at(&format!("/account?sessions={number}"))).await;
        assert_eq!(page.status, 200, "{number}");
    }

    let page = browser.send_form(&third, "/account/sessions").await;
    assert!(page.text().contains("That browser was signed out"), "{}", page.text());
    let third = browser.open(&stack.at("/account?sessions=3")).await;
    assert_eq!(third.html.matches("aria-label=\"Sign out there").count(), 1);
}

#[tokio::test]
async fn every_other_browser_is_signed_out_at_once_and_programs_keep_their_access_on_either_engine()
{
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let mut laptop = Browser::default();
        let mut desk = Browser::default();
        let mut phone = Browser::default();
        let (client, tokens, _) = account(&stack, &mut laptop).await;
        account(&stack, &mut desk).await;
        let (_, _, page) = account(&stack, &mut phone).await;

        let page = end_others(&stack, &mut phone, &page).await;
        assert_eq!(page.url.path(), "/account");
        assert!(page.text().contains("Every other browser was signed out"), "{}", page.text());
        assert!(page.text().contains("You signed out every other browser"), "{}", page.text());
        assert!(!page.html.contains("action=\"/account/sessions\""), "{engine:?}");
        for gone in [&mut laptop, &mut desk] {
            assert_eq!(gone.open(&stack.at("/account")).await.url.path(), "/sign-in");
        }
        assert_eq!(userinfo(&stack, &tokens).await, 200, "{engine:?}");
        assert_eq!(client.refresh(tokens.text("refresh_token")).await.status, 200);
    }
}

#[tokio::test]
async fn nobody_else_is_signed_out_and_what_did_not_happen_is_not_told() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let mut ada = Browser::default();
    let page = ada.open(&stack.at("/sign-in?continue=/account")).await;
    let page = ada.send_form(&page, "/sign-in/github").await;
    ada.press(&page, "user", "ada-park").await;

    let (_, _, page) = account(&stack, &mut browser).await;
    let fields = [("session", "others"), ("csrf", &page.hidden("csrf"))];
    let page = browser.post(&stack.at("/account/sessions"), &fields).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(!page.text().contains("was signed out"), "{}", page.text());
    assert_eq!(ada.open(&stack.at("/account")).await.url.path(), "/account");
}
