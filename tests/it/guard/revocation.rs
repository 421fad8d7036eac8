//! Revocation reaches the MCP server within two seconds, although it verifies tokens locally.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tests::{
    people::browser::Browser,
    programs::{
        client::{Answer, Client, REDIRECT_URI},
        mcp_client::{Session, Wire, call, message, next_message},
        operator,
    },
    stack::{Engine, Stack, access_token},
};

/// The promise.
const LIMIT: Duration = Duration::from_secs(2);

async fn status(stack: &Stack, token: &str) -> u16 {
    call(&stack.resource, Wire::V2026, token, "whoami", json!({})).await.status.as_u16()
}

/// Calls until the token is refused; fails the test if that takes longer than promised.
async fn is_refused_in_time(stack: &Stack, token: &str) {
    let answer = refusal_in_time(stack, token).await;
    assert!(answer.text("error_description").contains("revoked"), "{}", answer.json);
}

async fn refusal_in_time(stack: &Stack, token: &str) -> Answer {
    let refused = async {
        loop {
            let answer = call(&stack.resource, Wire::V2026, token, "whoami", json!({})).await;
            if answer.status != 200 {
                return answer;
            }
        }
    };
    let answer = tokio::time::timeout(LIMIT, refused).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.text("error")), (401, "invalid_token"));
    answer
}

async fn signed_in(stack: &Stack, client: &Client) -> Answer {
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    assert_eq!(status(stack, tokens.text("access_token")).await, 200);
    tokens
}

#[tokio::test]
async fn signing_out_takes_effect_within_two_seconds_and_for_one_grant_alone_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let client = Client::register(&stack).await;
        let leaving = signed_in(&stack, &client).await;
        let staying = signed_in(&stack, &client).await;
        let refresh = leaving.text("refresh_token").to_owned();
        let form = [("token", refresh), ("client_id", client.id.clone())];
        assert_eq!(client.post("/revoke", &form).await.status, 200);
        is_refused_in_time(&stack, leaving.text("access_token")).await;
        assert_eq!(status(&stack, staying.text("access_token")).await, 200, "{engine:?}");
    }
}

#[tokio::test]
async fn a_replayed_refresh_token_ends_its_access_tokens_within_two_seconds() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let tokens = signed_in(&stack, &client).await;
    let refreshed = client.refresh(tokens.text("refresh_token")).await;
    stack.advance(120);
    let replay = client.refresh(tokens.text("refresh_token")).await;
    assert_eq!(replay.text("error"), "invalid_grant");
    is_refused_in_time(&stack, refreshed.text("access_token")).await;
}

#[tokio::test]
async fn removing_an_app_takes_effect_within_two_seconds() {
    let stack = Stack::start().await;
    let options = ["--redirect-uri", REDIRECT_URI, "--auth-method", "none"];
    let client = Client::pre_registered(&stack, &options).await;
    let tokens = signed_in(&stack, &client).await;
    operator::carry_out(&stack, &["clients", "remove", &client.id]).await.unwrap();
    is_refused_in_time(&stack, tokens.text("access_token")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stolen_key_is_refused_within_two_seconds_of_an_emergency_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        // The guard fetches keys at most once a second.
        stack.run_clock();
        let client = Client::register(&stack).await;
        let tokens = signed_in(&stack, &client).await;
        // The holder of a stolen key chooses all claims, and the latest `exp` that is accepted.
        let end = stack.state.clock.now() + 86_400;
        let forged = access_token::signed(&stack, &json!({"jti": "x", "exp": end}));
        assert_eq!(status(&stack, &forged).await, 200, "{engine:?}");
        operator::carry_out(&stack, &["keys", "rotate", "--emergency"]).await.unwrap();
        // No clock is moved: the key set would be fresh for minutes.
        for token in [&forged, tokens.text("access_token")] {
            let answer = refusal_in_time(&stack, token).await;
            assert!(answer.text("error_description").contains("key"), "{}", answer.json);
        }
        // An honest program refreshes, and goes on once `auth` has taken the new key over.
        let goes_on = async {
            let mut refresh = tokens.text("refresh_token").to_owned();
            loop {
                let answer = client.refresh(&refresh).await;
                if status(&stack, answer.text("access_token")).await == 200 {
                    break;
                }
                refresh = answer.text("refresh_token").to_owned();
            }
        };
        tokio::time::timeout(Duration::from_secs(6), goes_on).await.unwrap();
        stack.advance(86_400);
        assert_eq!(status(&stack, &forged).await, 401, "{engine:?}: a day later");
    }
}

#[tokio::test]
async fn removing_access_on_the_account_page_takes_effect_within_two_seconds_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let client = Client::register(&stack).await;
        let mut browser = Browser::default();
        let tokens = client.obtain_tokens(&mut browser).await;
        let staying = signed_in(&stack, &client).await;
        assert_eq!(status(&stack, tokens.text("access_token")).await, 200, "{engine:?}");
        // The newest comes first, and the one to go is the older.
        let page = browser.open(&stack.at("/account")).await;
        let grant = page.hidden_all("grant").pop().unwrap();
        let form = [("csrf", page.hidden("csrf")), ("grant", grant)];
        let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
        let page = browser.post(&stack.at("/account/revoke"), &form).await;
        assert!(page.text().contains("was removed"), "{engine:?}: {}", page.text());
        is_refused_in_time(&stack, tokens.text("access_token")).await;
        assert_eq!(status(&stack, staying.text("access_token")).await, 200, "{engine:?}");
    }
}

#[tokio::test]
async fn an_open_stream_ends_when_its_grant_is_revoked() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let tokens = signed_in(&stack, &client).await;
    let token = tokens.text("access_token");
    let session = Session::open(&stack.resource, token).await.unwrap();
    let mut stream = session.request(Method::GET, token).send().await.unwrap();
    assert_eq!(stream.status(), 200);
    let form =
        [("token", tokens.text("refresh_token").to_owned()), ("client_id", client.id.clone())];
    assert_eq!(client.post("/revoke", &form).await.status, 200);
    // Without the guard's watch, this would wait for the client's own time-out and fail.
    while stream.chunk().await.unwrap().is_some() {}
}

#[tokio::test]
async fn who_waits_for_an_answer_is_told_when_the_grant_is_revoked() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let tokens = signed_in(&stack, &client).await;
    let token = tokens.text("access_token");
    let session = Session::open(&stack.resource, token).await.unwrap();
    let params = json!({"name": "count_down", "arguments": {"from": 100, "pause": 1000}});
    let request = session.request(Method::POST, token).json(&message("tools/call", params));
    let mut stream = request.send().await.unwrap();
    let mut buffer = String::new();
    let form =
        [("token", tokens.text("refresh_token").to_owned()), ("client_id", client.id.clone())];
    assert_eq!(client.post("/revoke", &form).await.status, 200);
    let answer = next_message(&mut stream, &mut buffer).await;
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(1), &json!(-32001)));
}
