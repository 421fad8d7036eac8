//! The children of the gate: how they start, what they may use, and how they end.

use futures::future::join_all;
use serde_json::{Value, json};
use tests::{
    programs::{
        client::Answer,
        mcp_client::{Session, next_message},
        process::{kill, until_gone},
    },
    stack::{Stack, gate},
};

use super::{called, called_in, open, stateless, token, token_of};

#[tokio::test]
async fn callers_hear_that_the_child_was_killed_and_the_next_call_starts_another() {
    let stack = Stack::start().await;
    let resource = gate::start_stdio(&stack, &[], &[]).await;
    let token = token(&stack, &resource);
    let pid = called(&resource, &token, "pid", json!({})).await;
    let wait = async |id: usize| {
        let request = stateless(&resource, &token, &json!(id), ("wait", json!({})));
        let mut answer = request.send().await.unwrap();
        let mut buffer = String::new();
        next_message(&mut answer, &mut buffer).await;
        (answer, buffer)
    };
    let waiting = join_all((0..4).map(wait)).await;
    kill(&pid).await;
    for (id, (mut answer, mut buffer)) in waiting.into_iter().enumerate() {
        let error = next_message(&mut answer, &mut buffer).await;
        assert_eq!((&error["id"], &error["error"]["code"]), (&json!(id), &json!(-32000)));
        assert_eq!(error["error"]["data"]["reason"], "upstream_unreachable");
    }
    let next = called(&resource, &token, "pid", json!({})).await;
    assert_ne!(next, pid);
    until_gone(&pid).await;
}

#[tokio::test]
async fn a_child_that_keeps_ending_is_not_started_for_each_call() {
    let stack = Stack::start().await;
    let resource = gate::start_stdio(&stack, &[], &[]).await;
    let token = token(&stack, &resource);
    let end =
        async || Answer::of(stateless(&resource, &token, &json!(7), ("end", json!({})))).await;
    for _ in 0..3 {
        let ended = end().await;
        assert_eq!((ended.status.as_u16(), &ended.json["id"]), (502, &json!(7)));
    }
    // The third came too soon after the second, so no child saw it.
    let request = stateless(&resource, &token, &json!(1), ("echo", json!({"text": "hi"})));
    let refused = Answer::of(request).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.headers["retry-after"]),
        (502, &"5".parse().unwrap())
    );
    stack.advance(60);
    assert_eq!(called(&resource, &token, "echo", json!({"text": "hi"})).await, "hi");
}

#[tokio::test]
async fn a_session_ends_with_its_child_and_the_child_with_its_session() {
    let stack = Stack::start().await;
    let resource = gate::start_stdio(&stack, &[], &[]).await;
    let token = token(&stack, &resource);
    let [first, second] = [open(&resource, &token).await, open(&resource, &token).await];
    let [one, other] = [
        called_in(&first, &token, "pid", json!({})).await,
        called_in(&second, &token, "pid", json!({})).await,
    ];
    assert_ne!(one, other);
    kill(&one).await;
    until_gone(&one).await;
    while first.send(&token, "tools/list", json!({})).await.status != 404 {}
    assert_eq!(called_in(&second, &token, "pid", json!({})).await, other);
    second.request(reqwest::Method::DELETE, &token).send().await.unwrap();
    until_gone(&other).await;
}

#[tokio::test]
async fn a_child_that_is_not_used_is_stopped_and_started_again() {
    let stack = Stack::start().await;
    let resource = gate::start_stdio(&stack, &["--child-idle-timeout", "60"], &[]).await;
    let token = token(&stack, &resource);
    let session = open(&resource, &token).await;
    let own = called_in(&session, &token, "pid", json!({})).await;
    let shared = called(&resource, &token, "pid", json!({})).await;
    stack.advance(60);
    until_gone(&own).await;
    until_gone(&shared).await;
    assert_eq!(session.send(&token, "tools/list", json!({})).await.status, 404);
    assert_ne!(called(&resource, &token, "pid", json!({})).await, shared);
}

#[tokio::test]
async fn a_user_has_so_many_children_and_all_together_no_more_than_set() {
    let stack = Stack::start().await;
    let resource = gate::start_stdio(&stack, &["--max-children", "9"], &[]).await;
    let nick = token(&stack, &resource);
    let first = open(&resource, &nick).await;
    let pid = called_in(&first, &nick, "pid", json!({})).await;
    stack.advance(1);
    for _ in 0..8 {
        open(&resource, &nick).await;
    }
    assert_eq!(first.send(&nick, "tools/list", json!({})).await.status, 404);
    until_gone(&pid).await;
    let eve = token_of(&stack, &resource, "eve");
    let session = open(&resource, &eve).await;
    assert_eq!(called_in(&session, &eve, "echo", json!({"text": "hi"})).await, "hi");
    let refused = Session::open(&resource, &eve).await.err().unwrap();
    assert_eq!((refused.status.as_u16(), &refused.json["id"]), (503, &json!(1)));
    assert_eq!(refused.json["error"]["data"]["reason"], "upstream_busy");
    assert!(refused.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn a_child_gets_the_variables_and_the_directory_that_are_named_and_its_limits() {
    let stack = Stack::start().await;
    let directory = stack.directory().canonicalize().unwrap();
    let directory = directory.to_str().unwrap();
    let options = [
        "--child-env",
        "CARGO_MANIFEST_DIR",
        "--child-directory",
        directory,
        "--child-memory",
        "3000",
        "--child-cpu",
        "600",
    ];
    let resource = gate::start_stdio(&stack, &options, &[]).await;
    let token = token(&stack, &resource);
    let seen = called(&resource, &token, "environment", json!({})).await;
    let (place, names): (String, Vec<String>) = serde_json::from_str(&seen).unwrap();
    assert_eq!(place, directory);
    assert!(
        names.iter().any(|name| name == "PATH")
            && names.iter().any(|name| name == "CARGO_MANIFEST_DIR")
    );
    assert!(!names.iter().any(|name| name == "CARGO_PKG_NAME"), "{names:?}");
    let limits = called(&resource, &token, "limits", json!({})).await;
    let limit = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        line[name.len()..].split_whitespace().next().unwrap().to_owned()
    };
    assert_eq!(limit("Max data size"), (3000_u64 << 20).to_string());
    assert_eq!(limit("Max cpu time"), "600");
}

#[tokio::test]
async fn children_end_with_the_gate_even_those_that_do_not_want_to() {
    let stack = Stack::start().await;
    let gate = gate::start_to_stop(&stack, &["--stubborn"]).await;
    let token = token(&stack, &gate.resource);
    let pid = called(&gate.resource, &token, "pid", json!({})).await;
    gate.stop().await;
    assert!(!std::path::Path::new("/proc").join(pid).exists());
}

#[tokio::test]
async fn a_program_that_cannot_be_started_or_says_nothing_is_502() {
    let stack = Stack::start().await;
    for command in ["/nonexistent/program", "true"] {
        let resource = gate::start_with(&stack, &["--", command]).await;
        let token = token(&stack, &resource);
        let request = stateless(&resource, &token, &json!(3), ("echo", json!({})));
        let answer = Answer::of(request).await;
        assert_eq!((answer.status.as_u16(), &answer.json["id"]), (502, &json!(3)));
        let refused: Option<Value> = Session::open(&resource, &token).await.err().map(|it| it.json);
        assert_eq!(refused.unwrap()["error"]["data"]["reason"], "upstream_unreachable");
    }
}
