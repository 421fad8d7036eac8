//! `POST /device_authorization`

use sea_orm::ConnectionTrait;
use serde_json::json;
use tests::{
    programs::client::{Answer, Client, http, with},
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

#[tokio::test]
async fn a_network_gets_so_many_codes_a_minute_and_leaves_the_others_alone() {
    let stack = Stack::start_with(&["--trusted-proxies", "1"], &[]).await;
    let client = register(&stack).await;
    let form = valid_request(&client, &stack);
    let ask = |address: &'static str| {
        let request = http().post(stack.at("/device_authorization")).form(&form);
        Answer::of(request.header("x-forwarded-for", address))
    };
    // While the test runs, some of the allowance comes back.
    let mut given = 0;
    let refused = loop {
        let answer = ask(["192.0.2.1", "192.0.2.200"][given % 2]).await;
        if answer.status != 200 {
            break answer;
        }
        given += 1;
    };
    assert!((60..90).contains(&given), "{given}");
    assert_eq!((refused.status.as_u16(), refused.text("error")), (429, "slow_down"));
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(ask("198.51.100.1").await.status, 200);
    stack.advance(1);
    assert_eq!(ask("192.0.2.1").await.status, 200);
}

#[tokio::test]
async fn only_so_many_devices_wait_at_once() {
    let stack = Stack::start().await;
    let client = register(&stack).await;
    let form = valid_request(&client, &stack);
    let db = stack.state.db.begin().await.unwrap();
    // Many times quicker than ten thousand requests.
    let until = stack.state.clock.now() + 600;
    let waiting = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10000)
        INSERT INTO device_codes
        SELECT n, n, '', '', '', '', 0, {until}, 5, 0, NULL, NULL, NULL FROM numbers"
    );
    db.execute_unprepared(&waiting).await.unwrap();
    db.commit().await.unwrap();
    let refused = client.post("/device_authorization", &form).await;
    assert_eq!((refused.status.as_u16(), refused.text("error")), (503, "temporarily_unavailable"));
    stack.advance(600);
    assert_eq!(client.post("/device_authorization", &form).await.status, 200);
}
