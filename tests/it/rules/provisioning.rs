//! What a provisioning system says decides who may come in, and ends what people have who may not.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{
    people::browser::{Browser, Page},
    programs::{
        client::{Answer, Client},
        mcp_client::{Wire, call},
        operator,
        scim::{Scim, stack},
    },
    stack::{Engine, Stack},
};

/// The promise.
const LIMIT: Duration = Duration::from_secs(2);
const NICK: &str = "nick-lucas@example.com";

async fn sign_in(stack: &Stack, browser: &mut Browser, login: &str) -> Page {
    let page = browser.open(&stack.at("/sign-in?continue=/account")).await;
    let page = browser.send_form(&page, "/sign-in/github").await;
    browser.press(&page, "user", login).await
}

/// Where a browser ends that signs in as this person: the account page, or a refusal.
async fn outcome(stack: &Stack, login: &str) -> String {
    let page = sign_in(stack, &mut Browser::default(), login).await;
    if page.status == 200 { "let in".into() } else { page.text() }
}

async fn status(stack: &Stack, token: &str) -> u16 {
    call(&stack.resource, Wire::V2026, token, "whoami", json!({})).await.status.as_u16()
}

async fn is_refused_in_time(stack: &Stack, token: &str) {
    let refused = async { while status(stack, token).await != 401 {} };
    tokio::time::timeout(LIMIT, refused).await.unwrap();
}

async fn at_work(stack: &Stack) -> (Browser, Client, Answer) {
    // Of a person who was shut out, verifiers refuse tokens until their clocks must agree that it is over.
    stack.advance(6);
    let client = Client::register(stack).await;
    let mut browser = Browser::default();
    let tokens = client.obtain_tokens(&mut browser).await;
    assert_eq!(status(stack, tokens.text("access_token")).await, 200);
    (browser, client, tokens)
}

async fn has_left(stack: &Stack, browser: &mut Browser, client: &Client, tokens: &Answer) {
    is_refused_in_time(stack, tokens.text("access_token")).await;
    assert_eq!(client.user_info(tokens.text("access_token")).await.status, 401);
    assert_eq!(client.refresh(tokens.text("refresh_token")).await.text("error"), "invalid_grant");
    assert_eq!(browser.open(&stack.at("/account")).await.url.path(), "/sign-in");
    assert!(outcome(stack, "nick-lucas").await.contains("person_deactivated"));
}

fn provisioned_only() -> Value {
    json!({"allow": ["staff"], "groups": {"staff": {"scim_groups": ["Staff"]}}})
}

#[tokio::test]
async fn a_user_who_is_deactivated_or_deleted_is_refused_within_two_seconds_on_either_engine() {
    for engine in Engine::ALL {
        let stack = stack(engine, &json!("email"), &Value::Null).await;
        let scim = Scim::of(&stack);
        // One who was here before the provisioning system knew them.
        let (mut browser, client, tokens) = at_work(&stack).await;
        let path = format!("/Users/{}", scim.create_user(NICK).await);
        assert_eq!(status(&stack, tokens.text("access_token")).await, 200);
        scim.patch(&path, json!([{"op": "Replace", "path": "active", "value": "False"}])).await;
        has_left(&stack, &mut browser, &client, &tokens).await;

        scim.patch(&path, json!([{"op": "replace", "value": {"active": true}}])).await;
        assert_eq!(outcome(&stack, "nick-lucas").await, "let in", "{engine:?}");
        let (mut browser, client, tokens) = at_work(&stack).await;
        assert_eq!(scim.delete(&path).await.status, 204);
        has_left(&stack, &mut browser, &client, &tokens).await;

        let events = operator::carry_out(
            &stack,
            &["audit", "--user", "nick-lucas", "--by-others", "--json"],
        );
        let events: Value = serde_json::from_str(&events.await.unwrap()).unwrap();
        let told: Vec<_> = events.as_array().unwrap().iter().rev().collect();
        let told: Vec<_> =
            told.iter().map(|it| (it["kind"].as_str().unwrap(), &it["actor"])).collect();
        let [scim_, policy] = [json!("scim"), json!("access policy")];
        let expected = [
            ("provisioned", &scim_),
            ("account_disabled", &scim_),
            ("access_ended", &policy),
            ("account_enabled", &scim_),
            ("deprovisioned", &scim_),
            ("access_ended", &policy),
        ];
        assert_eq!(told, expected, "{engine:?}");
        // Once they are created again, they are let in.
        scim.create_user(NICK).await;
        assert_eq!(outcome(&stack, "nick-lucas").await, "let in", "{engine:?}");
    }
}

#[tokio::test]
async fn groups_of_the_provisioning_system_let_people_in_and_out_on_either_engine() {
    for engine in Engine::ALL {
        let stack = stack(engine, &json!("email"), &provisioned_only()).await;
        let scim = Scim::of(&stack);
        assert!(outcome(&stack, "nick-lucas").await.contains("person_not_allowed"), "{engine:?}");
        let nick = scim.create_user(&NICK.to_uppercase()).await;
        assert!(outcome(&stack, "nick-lucas").await.contains("person_not_allowed"), "{engine:?}");
        let group = format!("/Groups/{}", scim.create_group("STAFF", &[&nick]).await);
        let (mut browser, client, tokens) = at_work(&stack).await;
        assert!(outcome(&stack, "ada-park").await.contains("person_not_allowed"), "{engine:?}");

        let path = format!("members[value eq \"{nick}\"]");
        scim.patch(&group, json!([{"op": "remove", "path": path}])).await;
        is_refused_in_time(&stack, tokens.text("access_token")).await;
        assert_eq!(
            client.refresh(tokens.text("refresh_token")).await.text("error"),
            "invalid_grant"
        );
        assert_eq!(browser.open(&stack.at("/account")).await.url.path(), "/sign-in");
        scim.patch(&group, json!([{"op": "add", "path": "members", "value": [{"value": nick}]}]))
            .await;
        let (_, _, tokens) = at_work(&stack).await;
        // Renamed or deleted, the group is not the one of the rule.
        scim.patch(&group, json!([{"op": "replace", "value": {"displayName": "Alumni"}}])).await;
        is_refused_in_time(&stack, tokens.text("access_token")).await;
        scim.patch(&group, json!([{"op": "replace", "value": {"displayName": "Staff"}}])).await;
        let (_, _, tokens) = at_work(&stack).await;
        scim.delete(&group).await;
        is_refused_in_time(&stack, tokens.text("access_token")).await;
    }
}

#[tokio::test]
async fn every_provisioned_user_may_come_in_where_a_group_says_so() {
    let access = json!({"allow": ["all"], "groups": {"all": {"provisioned": true}}});
    let stack = stack(Engine::Sqlite, &json!("login"), &access).await;
    let scim = Scim::of(&stack);
    assert!(outcome(&stack, "nick-lucas").await.contains("person_not_allowed"));
    let path = format!("/Users/{}", scim.create_user("Nick-Lucas").await);
    assert_eq!(outcome(&stack, "nick-lucas").await, "let in");
    // A name that has changed belongs to the same person.
    scim.patch(&path, json!([{"op": "replace", "value": {"userName": "nick"}}])).await;
    assert_eq!(outcome(&stack, "nick-lucas").await, "let in");
    // Not yet here, and not let in.
    let ada = json!({"userName": "ada-park", "active": false});
    assert_eq!(scim.post("/Users", &ada).await.status, 201);
    assert!(outcome(&stack, "ada-park").await.contains("person_deactivated"));
}

#[tokio::test]
async fn an_address_that_the_upstream_has_not_verified_matches_no_user() {
    let stack = stack(Engine::Sqlite, &json!("email"), &provisioned_only()).await;
    let scim = Scim::of(&stack);
    // Ada's own profile may say anything; only her verified address counts.
    for name in ["ada-park", "902114", "ada-park@example.org", NICK] {
        let user = scim.create_user(name).await;
        scim.create_group(&format!("of {name}"), &[&user]).await;
        if name != NICK {
            scim.create_group(&format!("Staff {name}"), &[&user]).await;
        }
    }
    assert!(outcome(&stack, "ada-park").await.contains("person_not_allowed"));
    let ada = scim.create_user("ada-park@example.com").await;
    scim.create_group("staff", &[&ada]).await;
    assert_eq!(outcome(&stack, "ada-park").await, "let in");
}

#[tokio::test]
async fn a_user_stays_matched_with_the_first_person_who_proved_the_address() {
    let stack = stack(Engine::Sqlite, &json!("subject"), &provisioned_only()).await;
    let scim = Scim::of(&stack);
    // By the identifier at the upstream, which is not a name.
    let nick = scim.post("/Users", &json!({"userName": "ada-park", "externalId": "583231"})).await;
    scim.create_group("staff", &[nick.text("id")]).await;
    assert!(outcome(&stack, "ada-park").await.contains("person_not_allowed"));
    assert_eq!(outcome(&stack, "nick-lucas").await, "let in");
    let path = format!("/Users/{}", nick.text("id"));
    scim.patch(&path, json!([{"op": "replace", "value": {"externalId": "902114"}}])).await;
    assert!(outcome(&stack, "ada-park").await.contains("person_not_allowed"));
    assert_eq!(outcome(&stack, "nick-lucas").await, "let in");
}
