//! Resources and their scopes, as an operator configures them.

use std::collections::HashSet;

use auth::{config::Config, state::AppState};
use clap::Parser;
use net::clock::Clock;
use serde_json::{Value, json};
use tests::{
    people::browser::Browser,
    programs::client::{Answer, Client, REDIRECT_URI, http, with},
    stack::{Stack, config_file},
};

const FILES: &str = "http://localhost:9/files";

/// A stack whose one resource has two scopes, the first of which implies the second.
async fn stack() -> Stack {
    let scope = |name: &str, implies: &[&str]| scope(name, implies, false);
    stack_with(&[scope("files:write", &["files:read"]), scope("files:read", &[])]).await
}

fn scope(name: &str, implies: &[&str], optional: bool) -> Value {
    json!({"name": name, "description": name, "implies": implies, "optional": optional})
}

async fn stack_with(scopes: &[Value]) -> Stack {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("portcullis.toml");
    let files = json!({"resources": [{"resource": FILES, "name": "Files", "scopes": scopes}]});
    let options = config_file::write(&file, &files);
    let mut stack = Stack::start_with(&options.each_ref().map(String::as_str), &[]).await;
    stack.audience = FILES.into();
    stack
}

async fn tokens(client: &Client, scope: &str, resource: &str) -> Answer {
    let request = with(client.authorize_parameters(), "scope", scope);
    let url = client.authorize_url(&with(request, "resource", resource));
    let mut browser = Browser::default();
    let page = client.reach_consent(&mut browser, &url).await;
    let page = browser.press(&page, "decision", "allow").await;
    client.post("/token", &client.code_form(&page.query("code").unwrap())).await
}

#[tokio::test]
async fn a_scope_brings_what_it_implies_and_can_shrink_to_it() {
    let stack = stack().await;
    let client = Client::register(&stack).await;
    let answer = tokens(&client, "files:write", FILES).await;
    assert_eq!(answer.text("scope"), "files:write files:read");
    let form = [
        ("grant_type", "refresh_token".to_owned()),
        ("client_id", client.id.clone()),
        ("refresh_token", answer.text("refresh_token").to_owned()),
        ("scope", "files:read".to_owned()),
    ];
    let narrow = client.post("/token", &form).await;
    assert_eq!(narrow.text("scope"), "files:read");
}

#[tokio::test]
async fn scopes_are_told_in_the_language_of_the_person_on_consent_and_account_pages() {
    let scopes = [
        json!({"name": "read", "description": "Read files", "translations": {"de": "Dateien lesen"}}),
        json!({"name": "write", "description": "Write files"}),
    ];
    let stack = stack_with(&scopes).await;
    let client = Client::register(&stack).await;
    let mut browser = Browser::default();
    for (language, told) in [("de", "Dateien lesen Write files"), ("en", "Read files Write files")]
    {
        let request = with(client.authorize_parameters(), "scope", "read write");
        let url = client.authorize_url(&with(request, "ui_locales", language));
        let page = client.reach_consent(&mut browser, &url).await;
        assert!(page.text().contains(told), "{language}: {}", page.text());
        browser.press(&page, "decision", "allow").await;
        let page = browser.open(&stack.at(&format!("/account?ui_locales={language}"))).await;
        assert!(page.text().contains(told), "{language}: {}", page.text());
    }
}

#[tokio::test]
async fn a_translation_that_no_page_speaks_stops_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("portcullis.toml");
    let scope = json!({"name": "read", "description": "Read", "translations": {"tlh": "laD"}});
    let files = json!({"resources": [{"resource": FILES, "name": "Files", "scopes": [scope]}]});
    let [option, file] = config_file::write(&file, &files);
    let github = ["--github-client-id", "a", "--github-client-secret", "b"];
    let options = [&["auth", &option, &file][..], &github].concat();
    let config = Config::try_parse_from(options).unwrap();
    let started = AppState::start(config, Clock::system()).await;
    let error = started.map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("\"tlh\"") && error.contains("en and de"), "{error}");
}

#[tokio::test]
async fn an_implied_scope_does_not_bring_the_one_that_implies_it() {
    let stack = stack().await;
    let client = Client::register(&stack).await;
    assert_eq!(tokens(&client, "files:read", FILES).await.text("scope"), "files:read");
}

#[tokio::test]
async fn whatever_the_spelling_of_the_resource_the_token_names_the_one_form() {
    let stack = stack().await;
    let client = Client::register(&stack).await;
    let answer = tokens(&client, "files:read", "HTTP://LocalHost:9/files/").await;
    let token = tests::stack::access_token::claims(answer.text("access_token"));
    assert_eq!(token["aud"], FILES);
}

#[tokio::test]
async fn an_operators_limit_holds_and_a_clients_own_words_are_none() {
    let stack = stack().await;
    let redirect = ["--redirect-uri", "http://127.0.0.1:1/callback"];
    let options = [&redirect[..], &["--auth-method", "none", "--scope", "files:read"]].concat();
    let limited = Client::pre_registered(&stack, &options).await;
    let answer = tokens(&limited, "files:write files:read profile", FILES).await;
    assert_eq!(answer.text("scope"), "files:read");
    let request = with(limited.authorize_parameters(), "scope", "profile");
    let answer = http().get(limited.authorize_url(&request)).send().await.unwrap();
    let location = answer.headers()["location"].to_str().unwrap();
    assert!(location.contains("error=invalid_scope"), "{location}");

    let modest = Client::register_as(&stack, json!({"scope": "files:read"})).await;
    let answer = tokens(&modest, "files:write", FILES).await;
    assert_eq!(answer.text("scope"), "files:write files:read");
}

#[tokio::test]
async fn offline_access_is_accepted_and_listed_only_where_the_operator_says_so() {
    let listed = async |stack: &Stack| {
        let request = http().get(stack.at("/.well-known/oauth-authorization-server"));
        let answer = Answer::of(request).await;
        answer.json["scopes_supported"].as_array().unwrap().contains(&"offline_access".into())
    };
    let stack = Stack::start().await;
    assert!(!listed(&stack).await);
    let client = Client::register(&stack).await;
    let answer = tokens(&client, "mcp:tools offline_access", &stack.resource).await;
    assert_eq!(answer.text("scope"), "mcp:tools offline_access");
    assert!(!answer.text("refresh_token").is_empty());
    assert!(listed(&Stack::start_with(&["--advertise-offline-access", "true"], &[]).await).await);
}

#[tokio::test]
async fn a_scope_that_may_be_granted_brings_the_scopes_it_implies() {
    let stack = stack().await;
    let limit = ["--scope", "files:write", "--redirect-uri", REDIRECT_URI];
    let public = [&limit[..], &["--auth-method", "none"]].concat();
    let person = Client::pre_registered(&stack, &public).await;
    let robot =
        [&limit[..2], &["--grant-type", "client_credentials", "--resource", FILES]].concat();
    let robot = Client::pre_registered(&stack, &robot).await;
    for (asked, granted) in [
        ("files:write", "files:write files:read"),
        ("files:read", "files:read"),
        ("files:read files:write", "files:read files:write"),
    ] {
        let answer = tokens(&person, asked, FILES).await;
        assert_eq!(answer.text("scope"), granted, "{asked}");
        let form = [("grant_type", "client_credentials".into()), ("scope", asked.into())];
        let answer = robot.post_authenticated("/token", &form).await;
        let scopes = |text: &str| text.split(' ').map(str::to_owned).collect::<HashSet<_>>();
        assert_eq!(scopes(answer.text("scope")), scopes(granted), "{asked}: {}", answer.json);
    }
}

#[tokio::test]
async fn what_a_person_leaves_out_does_not_come_back_with_another_scope() {
    let stack = stack_with(&[
        scope("files:write", &["files:read"], true),
        scope("files:read", &[], true),
        scope("files:open", &["files:list"], false),
        scope("files:list", &[], true),
    ])
    .await;
    let client = Client::register(&stack).await;
    let request = with(client.authorize_parameters(), "scope", "files:write files:open");
    let url = client.authorize_url(&with(request, "resource", FILES));
    let mut browser = Browser::default();
    let page = client.reach_consent(&mut browser, &url).await;
    let is_offered = |scope: &str| page.html.contains(&format!("value=\"{scope}\""));
    assert!(is_offered("files:write") && is_offered("files:read"), "{}", page.html);
    assert!(!is_offered("files:open") && !is_offered("files:list"), "{}", page.html);
    let unticked = [("scope", "files:read", false)];
    let page = browser.press_after(&page, ("decision", "allow"), &unticked).await;
    let answer = client.post("/token", &client.code_form(&page.query("code").unwrap())).await;
    assert_eq!(answer.text("scope"), "files:open files:list");
}
