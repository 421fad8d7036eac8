//! A code, device code or refresh token of which nothing can come any more is `invalid_grant`, and
//! is not used up: clients start a new sign-in on that code alone.

use auth::storage::{grants, users};
use serde_json::{Value, json};
use tests::{
    people::browser::Browser,
    programs::client::{Answer, Client, with},
    stack::{Stack, access_token::claims, config_file},
};
use uuid::Uuid;

use crate::endpoints::{
    device::allow,
    device_authorization::{DEVICE_CODE, register, valid_request},
};

const ELSEWHERE: &str = "http://localhost:9/elsewhere";

/// Another replica with the same database and secret, which serves other resources.
async fn with_resources(stack: &Stack, resources: Value) -> Stack {
    let path = |name: &str| stack.directory().join(name).display().to_string();
    let database = format!("sqlite://{}", path("auth.db"));
    let secret = path("secret");
    let file = stack.directory().join("portcullis.toml");
    let [option, file] = config_file::write(&file, &json!({"resources": resources}));
    let same = ["--database-url", &database, "--secret-file", &secret];
    Stack::start_with(&[&same[..], &[&*option, &*file]].concat(), &[]).await
}

async fn without_resource(stack: &Stack) -> Stack {
    let scope = json!({"name": "mcp:tools", "description": "Use the tools"});
    let resource = json!({"resource": ELSEWHERE, "name": "Other", "scopes": [scope]});
    with_resources(stack, json!([resource])).await
}

/// The same resource, which has lost its scopes.
async fn without_scopes(stack: &Stack) -> Stack {
    let scope = json!({"name": "other", "description": "Something else"});
    let resource = json!({"resource": stack.audience, "name": "Demo", "scopes": [scope]});
    with_resources(stack, json!([resource])).await
}

fn at(stack: &Stack, client: &Client) -> Client {
    Client::known_as(stack, &client.id, None)
}

async fn code(client: &Client, scope: &str) -> String {
    let request = with(client.authorize_parameters(), "scope", scope);
    let mut browser = Browser::default();
    let page = client.reach_consent(&mut browser, &client.authorize_url(&request)).await;
    browser.press(&page, "decision", "allow").await.query("code").unwrap()
}

async fn tokens(client: &Client, scope: &str) -> Answer {
    client.post("/token", &client.code_form(&code(client, scope).await)).await
}

async fn grant_of(stack: &Stack, tokens: &Answer) -> grants::Model {
    let jti = claims(tokens.text("access_token"))["jti"].as_str().unwrap().to_owned();
    let id: Uuid = jti.split_once('.').unwrap().0.parse().unwrap();
    grants::find(stack.state.db.connection(), id).await.unwrap().unwrap()
}

fn refusal(answer: &Answer) -> (u16, &str) {
    (answer.status.as_u16(), answer.text("error"))
}

#[tokio::test]
async fn a_refresh_for_a_resource_that_is_gone_is_invalid_grant_and_rotates_nothing() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let tokens = tokens(&client, "mcp:tools").await;
    let before = grant_of(&stack, &tokens).await;
    let replica = without_resource(&stack).await;
    let form = vec![
        ("grant_type", "refresh_token".into()),
        ("client_id", client.id.clone()),
        ("refresh_token", tokens.text("refresh_token").to_owned()),
    ];
    for form in [form.clone(), with(form, "resource", &stack.audience)] {
        let answer = at(&replica, &client).post("/token", &form).await;
        assert_eq!(refusal(&answer), (400, "invalid_grant"), "{}", answer.json);
    }
    assert_eq!(grant_of(&stack, &tokens).await, before);
    assert_eq!(client.refresh(tokens.text("refresh_token")).await.status, 200);
}

#[tokio::test]
async fn a_refresh_keeps_the_scopes_that_are_left_and_without_any_is_invalid_grant() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let wide = tokens(&client, "mcp:tools profile").await;
    let narrow = tokens(&client, "mcp:tools").await;
    let before = grant_of(&stack, &narrow).await;
    let replica = without_scopes(&stack).await;
    let client = at(&replica, &client);
    let answer = client.refresh(wide.text("refresh_token")).await;
    assert_eq!((answer.status.as_u16(), answer.text("scope")), (200, "profile"));
    let answer = client.refresh(narrow.text("refresh_token")).await;
    assert_eq!(refusal(&answer), (400, "invalid_grant"), "{}", answer.json);
    assert_eq!(grant_of(&stack, &narrow).await, before);
}

#[tokio::test]
async fn a_refresh_for_a_user_who_is_gone_is_invalid_grant_and_rotates_nothing() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let tokens = tokens(&client, "mcp:tools").await;
    let before = grant_of(&stack, &tokens).await;
    users::forget(stack.state.db.connection(), before.user_id).await.unwrap();
    let answer = client.refresh(tokens.text("refresh_token")).await;
    assert_eq!(refusal(&answer), (400, "invalid_grant"));
    assert_eq!(grant_of(&stack, &tokens).await, before);
}

#[tokio::test]
async fn a_code_of_which_nothing_can_come_is_not_redeemed() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let form = client.code_form(&code(&client, "mcp:tools").await);
    for replica in [without_resource(&stack).await, without_scopes(&stack).await] {
        let answer = at(&replica, &client).post("/token", &form).await;
        assert_eq!(refusal(&answer), (400, "invalid_grant"), "{}", answer.json);
    }
    assert_eq!(client.post("/token", &form).await.status, 200);
}

#[tokio::test]
async fn a_device_code_of_which_nothing_can_come_is_not_redeemed() {
    let stack = Stack::start().await;
    let client = register(&stack).await;
    let codes = client.post("/device_authorization", &valid_request(&client, &stack)).await;
    let form = vec![
        ("grant_type", DEVICE_CODE.into()),
        ("client_id", client.id.clone()),
        ("device_code", codes.text("device_code").to_owned()),
    ];
    let replica = without_resource(&stack).await;
    // Waiting is of no use either.
    let waiting = at(&replica, &client).post("/token", &form).await;
    assert_eq!(refusal(&waiting), (400, "invalid_grant"));
    allow(&codes).await;
    let answer = at(&replica, &client).post("/token", &form).await;
    assert_eq!(refusal(&answer), (400, "invalid_grant"));
    assert_eq!(client.post("/token", &form).await.status, 200);
}

#[tokio::test]
async fn tokens_for_a_resource_that_is_gone_are_not_active() {
    let stack = Stack::start().await;
    let options = ["--redirect-uri", tests::programs::client::REDIRECT_URI];
    let client = Client::pre_registered(&stack, &options).await;
    let code = code(&client, "mcp:tools").await;
    let tokens = client.post_authenticated("/token", &client.code_form(&code)).await;
    let replica = without_resource(&stack).await;
    let there = Client::known_as(&replica, &client.id, client.secret.clone());
    for name in ["access_token", "refresh_token"] {
        let form = [("token", tokens.text(name).to_owned())];
        let here = client.post_authenticated("/introspect", &form).await;
        assert_eq!(here.json["active"], true, "{name}: {}", here.json);
        let answer = there.post_authenticated("/introspect", &form).await;
        assert_eq!(answer.json, json!({"active": false}), "{name}");
    }
}
