//! Sign-in with a GitHub that answers otherwise than the stand-in.

use std::collections::BTreeMap;

use auth::storage::users;
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use tests::{
    people::browser::{Browser, Page},
    servers::document_server::{Document, DocumentServer},
    stack::Stack,
};

const TOKEN: &str = "/login/oauth/access_token";

/// A stack and its GitHub, which knows Nick Lucas.
async fn start() -> (Stack, DocumentServer) {
    let github = DocumentServer::start().await;
    let url = github.at("");
    let options = ["--github-base-url", &url, "--github-api-url", &url];
    let stack = Stack::start_with(&options, &[]).await;
    github.put(TOKEN, Document::json(&json!({"access_token": "gho_x", "token_type": "bearer"})));
    github.put("/user", Document::json(&user(json!({}))));
    let emails = json!([{"email": "nick@example.com", "primary": true, "verified": true}]);
    github.put("/user/emails", Document::json(&emails));
    (stack, github)
}

fn user(change: Value) -> Value {
    let mut user = json!({"id": 583_231, "login": "nick-lucas", "name": "Nick Lucas",
        "avatar_url": "https://avatars.example.com/u/1"});
    for (name, value) in change.as_object().unwrap() {
        user[name] = value.clone();
    }
    user
}

fn answer(status: u16, value: &Value) -> Document {
    Document { status, ..Document::json(value) }
}

/// Comes back from GitHub with `query`.
async fn come_back(stack: &Stack, browser: &mut Browser, query: &str) -> Page {
    let page = browser.open(&stack.at("/sign-in")).await;
    let state = browser.send_form(&page, "/sign-in/github").await.query("state").unwrap();
    browser.open(&stack.at(&format!("/sign-in/github/callback?{query}&state={state}"))).await
}

async fn sign_in(stack: &Stack) -> (Browser, Page) {
    let mut browser = Browser::default();
    let page = come_back(stack, &mut browser, "code=1").await;
    (browser, page)
}

/// What GitHub said of the person in this browser.
async fn facts(stack: &Stack, browser: &mut Browser) -> Value {
    let file = browser.open(&stack.at("/account/export")).await;
    let export: Value = serde_json::from_str(&file.html).unwrap();
    export["facts"]["github"].clone()
}

fn assert_operators(page: &Page, reason: &str) {
    assert_eq!(page.status, 502, "{reason}: {}", page.text());
    for shown in [reason, "Tell the operator of this server"] {
        assert!(page.text().contains(shown), "{reason}: {}", page.text());
    }
}

#[tokio::test]
async fn an_app_that_may_not_read_addresses_signs_people_in_without_one() {
    let (stack, github) = start().await;
    let refusal = json!({"message": "Resource not accessible by integration"});
    for status in [403, 404] {
        github.put("/user/emails", answer(status, &refusal));
        let (mut browser, page) = sign_in(&stack).await;
        assert_eq!(page.status, 200, "{status}: {}", page.text());
        let account = browser.open(&stack.at("/account")).await.text();
        assert!(account.contains("Nick Lucas") && !account.contains("nick@"), "{account}");
    }
}

#[tokio::test]
async fn addresses_that_github_keeps_back_for_now_are_an_outage() {
    let (stack, github) = start().await;
    let refusal = json!({"message": "You have exceeded a secondary rate limit"});
    for document in [
        answer(403, &refusal).with("retry-after", "60"),
        answer(403, &refusal).with("x-ratelimit-remaining", "0"),
        answer(429, &refusal),
        answer(500, &refusal),
    ] {
        github.put("/user/emails", document);
        let (_, page) = sign_in(&stack).await;
        assert_eq!(page.status, 503, "{}", page.text());
    }
}

#[tokio::test]
async fn only_access_denied_is_the_persons_own_refusal() {
    let (stack, github) = start().await;
    let mut browser = Browser::default();
    let page = come_back(&stack, &mut browser, "error=access_denied").await;
    assert_eq!(page.status, 403);
    assert!(page.text().contains("upstream_denied"), "{}", page.text());
    for error in [
        "redirect_uri_mismatch",
        "application_suspended",
        "unauthorized_client",
        "server_error",
        "temporarily_unavailable",
        "Access_Denied",
    ] {
        let page = come_back(&stack, &mut browser, &format!("error={error}")).await;
        assert_operators(&page, "upstream_refused");
    }
    for error in ["incorrect_client_credentials", "bad_verification_code", "redirect_uri_mismatch"]
    {
        for status in [200, 401] {
            github.put(TOKEN, answer(status, &json!({"error": error})));
            let (_, page) = sign_in(&stack).await;
            assert_operators(&page, "upstream_refused");
        }
    }
}

#[tokio::test]
async fn a_user_whom_no_account_could_hold_is_told_so_and_not_signed_in() {
    let (stack, github) = start().await;
    for body in [
        user(json!({"id": 0})),
        user(json!({"id": -1})),
        user(json!({"id": 9_223_372_036_854_775_808_u64})),
        user(json!({"id": 1.5})),
        user(json!({"id": "583231"})),
        user(json!({"id": null})),
        user(json!({"login": 7})),
        user(json!({"login": null})),
        user(json!({"login": "x".repeat(900_000)})),
        user(json!({"name": ["Nick"]})),
        user(json!({"name": "x".repeat(4000)})),
        json!([583_231, "nick-lucas", "Nick Lucas", null]),
        json!("nick-lucas"),
        Value::Null,
    ] {
        github.put("/user", Document::json(&body));
        let (mut browser, page) = sign_in(&stack).await;
        assert_operators(&page, "upstream_unusable");
        let home = browser.open(&stack.at("/")).await.text();
        assert!(!home.contains("nick-lucas") && !home.contains("Nick Lucas"), "{home}");
    }
    for id in [1, i64::MAX] {
        github.put("/user", Document::json(&user(json!({"id": id}))));
        assert_eq!(sign_in(&stack).await.1.status, 200, "{id}");
    }
}

#[tokio::test]
async fn every_verified_address_is_kept_and_each_sign_in_replaces_what_was_known() {
    let (stack, github) = start().await;
    let address = |email: &str, primary: bool, verified: bool| json!({"email": email, "primary": primary, "verified": verified});
    let both = json!([
        address("Nick@Example.com", false, true),
        address("nick@acme.example", true, true),
        address("nick@elsewhere.example", false, false),
    ]);
    github.put("/user", Document::json(&user(json!({"login": "Nick-Lucas"}))));
    github.put("/user/emails", Document::json(&both));
    let (mut browser, _) = sign_in(&stack).await;
    let facts = facts(&stack, &mut browser).await;
    assert_eq!(facts["login"], "nick-lucas");
    assert_eq!(facts["verified_emails"], json!(["nick@acme.example", "nick@example.com"]));
    assert_eq!(facts["asked_at"], stack.state.clock.now());

    github.put("/user/emails", Document::json(&json!([address("nick@acme.example", true, false)])));
    let (mut browser, _) = sign_in(&stack).await;
    assert_eq!(self::facts(&stack, &mut browser).await["verified_emails"], json!([]));
}

#[tokio::test]
async fn addresses_in_another_shape_sign_nobody_in() {
    let (stack, github) = start().await;
    for body in [
        json!([["nick@example.com", true, true]]),
        json!({"email": "nick@example.com"}),
        json!([{"email": 7, "primary": true, "verified": true}]),
        json!([{"email": "x".repeat(2000), "primary": true, "verified": true}]),
    ] {
        github.put("/user/emails", Document::json(&body));
        assert_operators(&sign_in(&stack).await.1, "upstream_unusable");
    }
}

#[tokio::test]
async fn a_portrait_with_an_endless_address_is_left_out() {
    let (stack, github) = start().await;
    let picture = format!("data:image/png;base64,{}", "A".repeat(50_000));
    github.put("/user", Document::json(&user(json!({"avatar_url": picture}))));
    let (mut browser, page) = sign_in(&stack).await;
    assert_eq!(page.status, 200, "{}", page.text());
    // No page shows portraits; the export shows what is kept.
    let kept = browser.open(&stack.at("/account/export")).await.html;
    assert!(kept.contains("nick-lucas") && !kept.contains("AAAAAAAA"), "{kept}");
}

#[tokio::test]
async fn a_renamed_user_keeps_the_account_and_who_takes_the_name_gets_another() {
    let (stack, github) = start().await;
    let people = async || {
        let people = users::Entity::find().all(stack.state.db.connection()).await.unwrap();
        people.into_iter().map(|it| (it.id, it.preferred_username)).collect::<BTreeMap<_, _>>()
    };
    let first = sign_in(&stack).await;
    assert_eq!(first.1.status, 200, "{}", first.1.text());
    let (first, _) = people().await.pop_first().unwrap();

    github.put("/user", Document::json(&user(json!({"login": "robert"}))));
    sign_in(&stack).await;
    assert_eq!(people().await, [(first, Some("robert".into()))].into());

    github.put("/user", Document::json(&user(json!({"id": 2, "name": "Mallory"}))));
    github.put("/user/emails", Document::json(&json!([])));
    sign_in(&stack).await;
    let both = people().await;
    assert_eq!(both.len(), 2);
    assert_eq!(both[&first], Some("robert".into()));
}

#[tokio::test]
async fn a_user_without_addresses_has_none_that_counts() {
    let (stack, github) = start().await;
    let public = user(json!({"email": "victim@example.com"}));
    github.put("/user", Document::json(&public));
    let unverified = json!([{"email": "victim@example.com", "primary": true, "verified": false}]);
    for body in [json!([]), json!(null), unverified] {
        github.put("/user/emails", Document::json(&body));
        sign_in(&stack).await;
        let people = users::Entity::find().all(stack.state.db.connection()).await.unwrap();
        assert!(people.iter().all(|it| !it.email_verified), "{body}");
        assert!(people.iter().all(|it| it.email.is_none()), "{body}");
    }
    let verified = json!([{"email": "nick@example.com", "primary": true, "verified": true}]);
    github.put("/user/emails", Document::json(&verified));
    sign_in(&stack).await;
    let people = users::Entity::find().all(stack.state.db.connection()).await.unwrap();
    assert_eq!(people[0].email.as_deref(), Some("nick@example.com"));
}
