//! `grant_type=client_credentials`

use serde_json::{Value, json};
use tests::{
    programs::client::{Answer, Client, with},
    stack::Stack,
};

const ENTERED: [&str; 4] =
    ["--auth-method", "client_secret_basic", "--grant-type", "client_credentials"];

async fn setting() -> (Stack, Client) {
    let stack = Stack::start().await;
    let client = Client::pre_registered(&stack, &ENTERED).await;
    (stack, client)
}

fn valid_request(stack: &Stack) -> Vec<(&'static str, String)> {
    vec![("grant_type", "client_credentials".into()), ("resource", stack.audience.clone())]
}

fn claims(answer: &Answer) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let token = answer.text("access_token");
    let part = token.split('.').nth(1).unwrap_or_default();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn a_client_gets_a_token_that_speaks_of_itself_and_of_no_person() {
    let (stack, client) = setting().await;
    let answer = client.post_authenticated("/token", &valid_request(&stack)).await;
    let claims = claims(&answer);
    assert_eq!(claims["sub"], json!(client.id));
    assert_eq!(claims["client_id"], json!(client.id));
    assert_eq!(claims["aud"], json!(stack.audience));
    for member in ["name", "email", "auth_time"] {
        assert_eq!(claims.get(member), None, "{member}");
    }
    assert_eq!(answer.json.get("refresh_token"), None);
    assert_eq!(answer.headers["cache-control"], "no-store");
}

#[tokio::test]
async fn scopes_that_reveal_a_person_are_never_granted() {
    let (stack, client) = setting().await;
    let form = with(valid_request(&stack), "scope", "mcp:tools profile openid");
    let answer = client.post_authenticated("/token", &form).await;
    assert_eq!(answer.text("scope"), "mcp:tools");
    let form = with(valid_request(&stack), "scope", "profile");
    let answer = client.post_authenticated("/token", &form).await;
    assert_eq!(answer.text("error"), "invalid_scope");
}

#[tokio::test]
async fn an_unknown_resource_is_an_invalid_target() {
    let (stack, client) = setting().await;
    let form = with(valid_request(&stack), "resource", "https://evil.test/mcp");
    let answer = client.post_authenticated("/token", &form).await;
    assert_eq!((answer.status.as_u16(), answer.text("error")), (400, "invalid_target"));
}

#[tokio::test]
async fn without_the_secret_there_is_nothing() {
    let (stack, client) = setting().await;
    let form = with(valid_request(&stack), "client_id", &client.id);
    let answer = client.post("/token", &form).await;
    assert_eq!((answer.status.as_u16(), answer.text("error")), (401, "invalid_client"));
}

#[tokio::test]
async fn a_client_that_registered_itself_cannot_have_it() {
    let stack = Stack::start().await;
    let metadata = json!({
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code", "client_credentials"],
    });
    let client = Client::register_as(&stack, metadata).await;
    let answer = client.post_authenticated("/token", &valid_request(&stack)).await;
    assert_eq!(answer.text("error"), "unauthorized_client");
}

#[tokio::test]
async fn the_token_can_be_introspected_by_its_client() {
    let (stack, client) = setting().await;
    let answer = client.post_authenticated("/token", &valid_request(&stack)).await;
    let form = [("token", answer.text("access_token").to_owned())];
    let facts = client.post_authenticated("/introspect", &form).await;
    assert_eq!(facts.json["active"], true, "{}", facts.json);
    assert_eq!(facts.text("sub"), client.id);
    stack.advance(901);
    let facts = client.post_authenticated("/introspect", &form).await;
    assert_eq!(facts.json, json!({"active": false}));
}
