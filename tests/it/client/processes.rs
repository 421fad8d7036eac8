//! Several processes of the client with one expired token, some of which are killed.

use std::{fs, time::Duration};

use futures::future::join_all;
use serde_json::{Value, json};
use tests::{
    programs::command_line::CommandLine,
    servers::{
        document_server::{Document, DocumentServer},
        open_server::OpenServer,
    },
    stack::Stack,
};

const PROCESSES: usize = 8;
const ROUNDS: usize = 6;

/// The one grant in what is kept.
fn grant(kept: &mut Value) -> &mut Value {
    let grants = kept["grants"].as_object_mut().unwrap().values_mut().next().unwrap();
    grants.as_object_mut().unwrap().values_mut().next().unwrap()
}

/// Makes the client believe that its token is over.
fn expire(person: &CommandLine) {
    let mut kept = person.kept();
    let grant = grant(&mut kept);
    (grant["issued_at"], grant["expires_at"]) = (json!(0), json!(1));
    fs::write(person.kept_in(), kept.to_string()).unwrap();
}

/// A person whom `issuer` has given a token for the server at `url`.
fn signed_in(url: &str, issuer: &str) -> CommandLine {
    let person = CommandLine::of(url, issuer);
    let grant = json!({
        "issuer": issuer,
        "resource": url,
        "client": {"client_id": "c", "authentication_method": "none"},
        "access_token": "a",
        "refresh_token": "r",
        "scope": "mcp",
        "requested_scope": "mcp",
        "issued_at": 0,
        "expires_at": 1,
    });
    let kept = json!({
        "version": 1,
        "servers": {url: {"issuer": issuer, "resource": url}},
        "grants": {issuer: {url: grant}},
    });
    fs::write(person.kept_in(), kept.to_string()).unwrap();
    person
}

#[tokio::test]
async fn of_eight_processes_with_one_expired_token_one_renews_it() {
    let server = OpenServer::start(&[("tools/list", json!({"tools": []}))]).await;
    let issuer = DocumentServer::start().await;
    let metadata = json!({"issuer": issuer.url, "token_endpoint": issuer.at("/token")});
    issuer.put("/.well-known/oauth-authorization-server", Document::json(&metadata));
    let person = signed_in(&server.url, &issuer.url);
    for round in 1..=ROUNDS {
        expire(&person);
        let token = format!("a{round}");
        let answer = json!({"access_token": token, "token_type": "Bearer", "expires_in": 3600});
        issuer.put("/token", Document::json(&answer));
        let calls = (0..PROCESSES).map(|_| person.run(&["--no-input", "tools"]));
        for outcome in join_all(calls).await {
            assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        }
        assert_eq!(issuer.hits("/token"), round);
        let mut kept = person.kept();
        assert_eq!(grant(&mut kept)["access_token"], json!(token));
        assert_eq!(grant(&mut kept)["refresh_token"], json!("r"), "none came in its place");
    }
}

#[tokio::test]
async fn a_process_that_is_killed_while_it_renews_signs_nobody_out() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    assert_eq!(person.sign_in(&["login"]).await.code, 0);

    let call = ["--no-input", "call", "echo", "ping"];
    for round in 0..ROUNDS {
        expire(&person);
        let mut unlucky: Vec<_> = (0..PROCESSES / 2).map(|_| person.start(&call)).collect();
        let lucky = (0..PROCESSES / 2).map(|_| person.run(&call));
        let kill = async {
            for (number, process) in unlucky.iter_mut().enumerate() {
                // Each at another moment of its life, unless that is over before.
                let moment = u64::try_from(13 * round + 7 * number).unwrap();
                let moment = Duration::from_millis(moment);
                if tokio::time::timeout(moment, process.wait()).await.is_err() {
                    process.kill().await.unwrap();
                }
            }
        };
        let (outcomes, ()) = tokio::join!(join_all(lucky), kill);
        for outcome in outcomes {
            let said = (outcome.code, outcome.stdout.as_str());
            assert_eq!(said, (0, "Hello Nick Lucas: ping\n"), "{round}: {}", outcome.stderr);
        }
        assert!(person.kept()["grants"].is_object());
    }
    assert_eq!(person.run(&["status"]).await.code, 0);
}
