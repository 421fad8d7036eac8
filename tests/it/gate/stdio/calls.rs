//! Who gets what a shared child says.

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    programs::{
        client::Answer,
        mcp_client::{message, next_message},
    },
    stack::{Stack, gate},
};

use super::{called, called_in, open, stateless, text, token, token_of};

const CALLERS: usize = 16;
const ROUNDS: usize = 25;

#[tokio::test]
async fn no_answer_reaches_another_caller_although_all_their_ids_are_the_same() {
    let stack = Stack::start().await;
    let resource = gate::start_stdio(&stack, &[], &[]).await;
    let race = async |caller: usize| {
        let token = token_of(&stack, &resource, &format!("user {caller}"));
        for round in 0..ROUNDS {
            let said = format!("{caller} {round}");
            // The server waits for all, and answers the last one first.
            let arguments = json!({"size": CALLERS, "text": said});
            let request = stateless(&resource, &token, &json!("1"), ("gather", arguments));
            let answer = Answer::of(request).await;
            assert_eq!((text(&answer), &answer.json["id"]), (said, &json!("1")));
        }
    };
    join_all((0..CALLERS).map(race)).await;
}

#[tokio::test]
async fn sessions_that_share_a_child_get_their_own_answers_and_progress_only() {
    let stack = Stack::start().await;
    let resource = gate::start_stdio(&stack, &["--child", "shared"], &[]).await;
    let race = async |caller: usize| {
        let token = token_of(&stack, &resource, &format!("user {caller}"));
        let session = open(&resource, &token).await;
        for round in 0..ROUNDS {
            let said = format!("{caller} {round}");
            let arguments = json!({"size": 4, "text": said});
            assert_eq!(called_in(&session, &token, "gather", arguments).await, said);
        }
        let params = json!({"name": "count", "arguments": {"to": 3},
            "_meta": {"progressToken": "the same"}});
        let request = session.request(Method::POST, &token).json(&message("tools/call", params));
        let mut answer = request.send().await.unwrap();
        let mut buffer = String::new();
        for n in 1..=3 {
            let progress = next_message(&mut answer, &mut buffer).await["params"].clone();
            assert_eq!(progress, json!({"progressToken": "the same", "progress": n}));
        }
        let last = next_message(&mut answer, &mut buffer).await;
        assert_eq!((&last["id"], answer.chunk().await.unwrap()), (&json!(1), None));
        called_in(&session, &token, "pid", json!({})).await
    };
    let pids = join_all((0..4).map(race)).await;
    assert!(pids.iter().all(|pid| *pid == pids[0]), "{pids:?}");
}

#[tokio::test]
async fn when_the_caller_leaves_the_call_is_cancelled() {
    let stack = Stack::start().await;
    let resource = gate::start_stdio(&stack, &[], &[]).await;
    let token = token(&stack, &resource);
    let request = stateless(&resource, &token, &json!(1), ("wait", json!({})));
    let mut answer = request.send().await.unwrap();
    let progress = next_message(&mut answer, &mut String::new()).await;
    assert_eq!(progress["params"], json!({"progressToken": "mine", "progress": 1}));
    drop(answer);
    while called(&resource, &token, "cancelled", json!({})).await == "[]" {}
}

#[tokio::test]
async fn a_session_cancels_its_own_calls_and_no_other() {
    let stack = Stack::start().await;
    let resource = gate::start_stdio(&stack, &["--child", "shared"], &[]).await;
    let token = token(&stack, &resource);
    let session = open(&resource, &token).await;
    let stranger = open(&resource, &token).await;
    let params = json!({"name": "wait", "_meta": {"progressToken": 7}});
    let request = session.request(Method::POST, &token).json(&message("tools/call", params));
    let mut waiting = request.send().await.unwrap();
    let mut buffer = String::new();
    assert_eq!(next_message(&mut waiting, &mut buffer).await["params"]["progressToken"], 7);
    let cancelled = json!({"jsonrpc": "2.0", "method": "notifications/cancelled",
        "params": {"requestId": 1}});
    for (from, seen) in [(&stranger, 0), (&session, 1)] {
        let answer = Answer::of(from.request(Method::POST, &token).json(&cancelled)).await;
        assert_eq!(answer.status, 202);
        let known = called_in(&session, &token, "cancelled", json!({})).await;
        let known: Vec<u64> = serde_json::from_str(&known).unwrap();
        assert_eq!(known.len(), seen, "{known:?}");
    }
    assert_eq!(next_message(&mut waiting, &mut buffer).await, Value::Null);
}

#[tokio::test]
async fn callers_are_not_disturbed_by_what_a_server_writes_besides_messages() {
    let stack = Stack::start().await;
    let resource = gate::start_stdio(&stack, &[], &[]).await;
    let token = token(&stack, &resource);
    assert_eq!(called(&resource, &token, "noise", json!({})).await, "after noise");
    assert_eq!(
        called(&resource, &token, "echo", json!({"text": "\u{2028}☃\n"})).await,
        "\u{2028}☃\n"
    );
}

#[tokio::test]
async fn the_server_is_told_who_calls_and_callers_cannot_say_it() {
    let stack = Stack::start().await;
    let resource = gate::start_stdio(&stack, &["--identity", "both"], &[]).await;
    let token = token(&stack, &resource);
    let session = open(&resource, &token).await;
    let params = json!({"name": "meta", "_meta": {"portcullis/user": {"sub": "admin"},
        "portcullis/groups": ["admins"], "mine": 1}});
    let meta: Value =
        serde_json::from_str(&text(&session.send(&token, "tools/call", params).await)).unwrap();
    assert_eq!(meta["portcullis/user"]["sub"], "nick");
    let claims = tests::stack::access_token::claims(meta["portcullis/identity"].as_str().unwrap());
    assert_eq!((&claims["sub"], &claims["aud"]), (&json!("nick"), &json!("stdio:node")));
    assert_eq!((&meta["mine"], meta.get("portcullis/groups")), (&json!(1), None));
}
