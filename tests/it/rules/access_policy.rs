//! Who may come in, and what they may have: what people and clients see of it.

use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use tests::{
    people::browser::{Browser, Page},
    programs::client::{Client, with},
    stack::{Stack, config_file, github::Membership},
};

const FILES: &str = "http://localhost:9/files";
const OTHER: &str = "http://localhost:9/other";

/// A stack with this `[access]` and two resources. Nick is a member of acme, and Ada of nothing.
pub(super) async fn stack(access: &Value) -> Stack {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("portcullis.toml");
    let scope = |name: &str, implies: &[&str]| json!({"name": name, "description": name, "implies": implies});
    let resource = |identifier: &str| {
        json!({"resource": identifier, "name": "R",
            "scopes": [scope("write", &["read"]), scope("read", &[])]})
    };
    let document = json!({"resources": [resource(FILES), resource(OTHER)], "access": access});
    let options = config_file::write(&file, &document);
    let mut stack = Stack::start_with(&options.each_ref().map(String::as_str), &[]).await;
    stack.audience = FILES.into();
    stack.stand_in.set_membership("nick-lucas", "acme", Membership::Active);
    stack.stand_in.set_membership("nick-lucas", "acme/platform", Membership::None);
    stack
}

fn staff() -> Value {
    json!({"allow": ["staff"], "contact": "Ask <Grace>, room 7.",
        "groups": {"staff": {"github_organisations": ["acme"]}}})
}

async fn sign_in(browser: &mut Browser, page: &Page, login: &str) -> Page {
    let page = browser.send_form(page, "/sign-in/github").await;
    browser.press(&page, "user", login).await
}

async fn sign_in_to_account(stack: &Stack, login: &str) -> (Browser, Page) {
    let mut browser = Browser::default();
    let page = browser.open(&stack.at("/account")).await;
    let page = sign_in(&mut browser, &page, login).await;
    (browser, page)
}

async fn number_of_users(stack: &Stack) -> usize {
    let db = stack.state.db.connection();
    let query = sea_orm::Statement::from_string(db.get_database_backend(), "SELECT id FROM users");
    db.query_all_raw(query).await.unwrap().len()
}

#[tokio::test]
async fn a_stranger_sees_whom_to_ask_and_how_to_sign_in_as_someone_else_and_leaves_no_row() {
    let stack = stack(&staff()).await;
    let (mut browser, page) = sign_in_to_account(&stack, "ada-park").await;
    assert_eq!(page.status, 403);
    let text = page.text();
    for shown in ["This account cannot be used here", "Ask <Grace>, room 7.", "person_not_allowed"]
    {
        assert!(text.contains(shown), "{shown} is missing in: {text}");
    }
    assert_eq!(number_of_users(&stack).await, 0);
    assert_eq!(browser.open(&stack.at("/account")).await.url.path(), "/sign-in");

    let other = "/sign-in?account=another&amp;continue=%2Faccount";
    assert!(page.html.contains(other), "{}", page.html);
    let page = browser.open(&stack.at(&other.replace("&amp;", "&"))).await;
    let page = browser.send_form(&page, "/sign-in/github").await;
    assert_eq!(page.query("prompt").as_deref(), Some("select_account"), "{}", page.url);
    let page = browser.press(&page, "user", "nick-lucas").await;
    assert_eq!((page.url.path(), page.status.as_u16()), ("/account", 200));
}

#[tokio::test]
async fn the_page_speaks_german_too() {
    let stack = stack(&staff()).await;
    let (mut browser, _) = sign_in_to_account(&stack, "nick-lucas").await;
    let db = stack.state.db.connection();
    db.execute_unprepared("UPDATE users SET disabled_at = 1").await.unwrap();
    let page = browser.open(&stack.at("/account?ui_locales=de")).await;
    assert!(page.text().contains("Dieses Konto hat hier keinen Zugang"), "{}", page.text());
}

#[tokio::test]
async fn a_session_ends_when_its_person_is_kept_out() {
    let stack = stack(&staff()).await;
    let (mut browser, page) = sign_in_to_account(&stack, "nick-lucas").await;
    assert_eq!(page.status, 200);
    stack.stand_in.set_membership("nick-lucas", "acme", Membership::None);
    let (_, page) = sign_in_to_account(&stack, "nick-lucas").await;
    assert!(page.status == 403 && page.text().contains("Ask <Grace>"), "{}", page.text());
    assert_eq!(browser.open(&stack.at("/account")).await.url.path(), "/sign-in");
}

#[tokio::test]
async fn a_denied_group_and_a_disabled_account_are_told_apart_in_the_reason() {
    let mut access = staff();
    access["deny"] = json!(["suspended"]);
    access["groups"]["suspended"] = json!({"github_users": ["Ada-Park"]});
    let stack = stack(&access).await;
    stack.stand_in.set_membership("ada-park", "acme", Membership::Active);
    let (_, page) = sign_in_to_account(&stack, "ada-park").await;
    assert!(page.text().contains("person_denied"), "{}", page.text());

    let (mut browser, _) = sign_in_to_account(&stack, "nick-lucas").await;
    let db = stack.state.db.connection();
    db.execute_unprepared("UPDATE users SET disabled_at = 1").await.unwrap();
    assert!(browser.open(&stack.at("/account")).await.text().contains("person_disabled"));
    for _ in 0..2 {
        let (_, page) = sign_in_to_account(&stack, "nick-lucas").await;
        assert!(page.text().contains("person_disabled"), "{}", page.text());
    }
}

#[tokio::test]
async fn a_token_that_its_person_may_not_use_can_still_be_given_back() {
    let stack = stack(&staff()).await;
    let client = Client::register(&stack).await;
    let request = with(client.authorize_parameters(), "scope", "read");
    let mut browser = Browser::default();
    let page = client.reach_consent(&mut browser, &client.authorize_url(&request)).await;
    let page = browser.press(&page, "decision", "allow").await;
    let tokens = client.post("/token", &client.code_form(&page.query("code").unwrap())).await;
    let token = tokens.text("access_token");
    let db = stack.state.db.connection();
    db.execute_unprepared("UPDATE users SET disabled_at = 1").await.unwrap();
    assert_eq!(client.user_info(token).await.status, 401);
    let form = [("client_id", client.id.clone()), ("token", token.to_owned())];
    assert_eq!(client.post("/revoke", &form).await.status, 200);
    db.execute_unprepared("UPDATE users SET disabled_at = NULL").await.unwrap();
    assert_eq!(client.user_info(token).await.status, 401, "it was revoked");
    let refreshed = client.refresh(tokens.text("refresh_token")).await;
    assert_eq!(refreshed.status, 200, "the grant was not");
}

/// Opens the consent page of a request for `scope` of `resource`, as Nick.
async fn ask(stack: &Stack, browser: &mut Browser, resource: &str, scope: &str) -> Page {
    let client = Client::register(stack).await;
    let request = with(client.authorize_parameters(), "scope", scope);
    let url = client.authorize_url(&with(request, "resource", resource));
    client.reach_consent(browser, &url).await
}

#[tokio::test]
async fn a_scope_that_a_person_may_not_have_is_neither_shown_nor_granted() {
    let limits = json!([
        {"resource": FILES, "scopes": ["write"], "groups": ["platform"]},
        {"resource": OTHER, "groups": ["platform"]},
    ]);
    let mut access = staff();
    access["limits"] = limits;
    access["groups"]["platform"] = json!({"github_teams": ["acme/platform"]});
    let stack = stack(&access).await;
    let mut browser = Browser::default();
    let page = ask(&stack, &mut browser, FILES, "write read profile").await;
    let shown = page.hidden_all("scope");
    assert!(!page.text().contains("write"), "{shown:?} {}", page.text());
    // `write` brings `read` along, which anyone may have.
    let page = ask(&stack, &mut browser, FILES, "write").await;
    assert!(
        page.text().contains("able to read") && !page.text().contains("write"),
        "{}",
        page.text()
    );
    for (resource, scope) in [(OTHER, "read"), (OTHER, "profile")] {
        let page = ask(&stack, &mut browser, resource, scope).await;
        let error = page.query("error");
        assert_eq!(
            error.as_deref(),
            Some("access_denied"),
            "{resource} {scope}: {} {}",
            page.url,
            page.text()
        );
        let told = page.query("error_description").unwrap_or_default();
        assert!(told.contains("ask the operator"), "{told}");
    }

    stack.stand_in.set_membership("nick-lucas", "acme/platform", Membership::Active);
    let mut browser = Browser::default();
    let page = ask(&stack, &mut browser, FILES, "write read profile").await;
    assert!(page.text().contains("write"), "{}", page.text());
    let page = ask(&stack, &mut browser, OTHER, "read").await;
    assert_eq!(page.status, 200, "{}", page.text());
}
