//! `POST /device_authorization`

use serde_json::json;
use tests::{
    client::{Client, with},
    stack::Stack,
};

pub(crate) const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A client that registered for the device grant.
pub(crate) async fn register(stack: &Stack) -> Client {
    let grants = json!({"grant_types": ["authorization_code", "refresh_token", DEVICE_CODE]});
    Client::register_as(stack, grants).await
}

pub(crate) fn valid_request(client: &Client, stack: &Stack) -> Vec<(&'static str, String)> {
    vec![
        ("client_id", client.id.clone()),
        ("resource", stack.audience.clone()),
        ("scope", "mcp:tools profile".into()),
    ]
}

#[tokio::test]
async fn a_device_gets_a_code_to_poll_with_and_one_to_show() {
    let stack = Stack::start().await;
    let client = register(&stack).await;
    let answer = client.post("/device_authorization", &valid_request(&client, &stack)).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    assert!(answer.text("device_code").starts_with("pcd_"));
    let user_code = answer.text("user_code");
    assert_eq!((user_code.len(), user_code.as_bytes()[4]), (9, b'-'));
    let uri = stack.at("/device");
    assert_eq!(answer.text("verification_uri"), uri);
    let complete = format!("{uri}?user_code={user_code}");
    assert_eq!(answer.text("verification_uri_complete"), complete);
    assert_eq!((&answer.json["expires_in"], &answer.json["interval"]), (&json!(600), &json!(5)));
    assert_eq!(answer.headers["cache-control"], "no-store");
}

#[tokio::test]
async fn a_client_that_did_not_register_the_grant_is_refused() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let answer = client.post("/device_authorization", &valid_request(&client, &stack)).await;
    assert_eq!((answer.status.as_u16(), answer.text("error")), (400, "unauthorized_client"));
}

#[tokio::test]
async fn mistakes_are_told_by_their_codes() {
    let stack = Stack::start().await;
    let client = register(&stack).await;
    for (name, value, error) in [
        ("resource", "https://evil.test/mcp", "invalid_target"),
        ("scope", "admin", "invalid_scope"),
        ("client_id", "unknown", "invalid_client"),
    ] {
        let form = with(valid_request(&client, &stack), name, value);
        let answer = client.post("/device_authorization", &form).await;
        assert_eq!(answer.text("error"), error, "{name}");
    }
}
