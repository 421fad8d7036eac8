//! `auth keys`

use std::fs;

use keys::{Algorithm, SigningKey};
use serde_json::{Value, json};
use tests::{
    people::browser::Browser,
    programs::{
        client::{Answer, Client, http},
        mcp_client::{Wire, call},
        operator,
    },
    stack::{Stack, write_secret},
};

async fn keys(stack: &Stack) -> Vec<Value> {
    let json = operator::run(stack, &["keys", "list", "--json"]).await;
    assert_eq!(json.code, 0, "{}", json.stderr);
    serde_json::from_str(&json.stdout).unwrap()
}

async fn states(stack: &Stack) -> Vec<String> {
    keys(stack).await.iter().map(|key| key["state"].as_str().unwrap().to_owned()).collect()
}

async fn keep(stack: &Stack) {
    stack.state.keys.keep(&stack.state.db, stack.state.clock.now()).await.unwrap();
}

#[tokio::test]
async fn keys_list_shows_the_key_that_signs_and_nothing_private() {
    let stack = Stack::start().await;
    let kid = stack.state.keys.current(i64::MAX).unwrap().kid().to_owned();
    let plain = operator::run(&stack, &["keys", "list"]).await;
    assert_eq!(plain.code, 0, "{}", plain.stderr);
    assert!(plain.stdout.starts_with("KID") && plain.stdout.contains(&kid), "{}", plain.stdout);
    let keys = keys(&stack).await;
    assert_eq!((&keys[0]["kid"], &keys[0]["alg"]), (&kid.into(), &"ES256".into()));
    assert_eq!(keys[0]["state"], "current");
    let all = Value::from(keys).to_string();
    assert!(!all.contains("\"d\"") && !all.contains("sealed"), "{all}");
}

#[tokio::test]
async fn a_rotation_by_hand_is_taken_over_by_the_server_and_waits_for_verifiers() {
    let stack = Stack::start().await;
    let old = stack.state.keys.current(stack.state.clock.now()).unwrap().kid().to_owned();
    let rotated = operator::run(&stack, &["keys", "rotate"]).await;
    assert_eq!(rotated.code, 0, "{}", rotated.stderr);
    keep(&stack).await;
    assert_eq!(states(&stack).await, ["current", "next"]);
    stack.advance(300);
    assert_eq!(stack.state.keys.current(stack.state.clock.now()).unwrap().kid(), old);
    stack.advance(10);
    assert!(
        rotated.stdout.contains(stack.state.keys.current(stack.state.clock.now()).unwrap().kid())
    );
}

#[tokio::test]
async fn an_emergency_withdraws_the_stolen_key_at_once() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let stolen = client.obtain_tokens(&mut Browser::default()).await;
    let rotated = operator::run(&stack, &["keys", "rotate", "--emergency"]).await;
    assert_eq!(rotated.code, 0, "{}", rotated.stderr);
    keep(&stack).await;
    assert_eq!(states(&stack).await, ["retired", "current"]);
    let set = Answer::of(http().get(stack.at("/jwks"))).await;
    assert_eq!(set.json["keys"].as_array().unwrap().len(), 1);
    let with = async |token: &str| {
        call(&stack.resource, Wire::V2026, token, "whoami", json!({})).await.status.as_u16()
    };
    assert_eq!(with(stolen.text("access_token")).await, 401);
    let fresh = client.refresh(stolen.text("refresh_token")).await;
    assert_eq!(with(fresh.text("access_token")).await, 200);
}

#[tokio::test]
async fn a_key_is_retired_by_name_unless_it_signs() {
    let stack = Stack::start().await;
    operator::run(&stack, &["keys", "rotate"]).await;
    let kids: Vec<String> =
        keys(&stack).await.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect();
    let refused = operator::run(&stack, &["keys", "retire", &kids[0]]).await;
    assert!(refused.code != 0 && refused.stderr.contains("--emergency"), "{}", refused.stderr);
    let unknown = operator::run(&stack, &["keys", "retire", "nobody"]).await;
    assert!(unknown.code != 0 && unknown.stderr.contains("keys list"), "{}", unknown.stderr);
    assert_eq!(operator::run(&stack, &["keys", "retire", &kids[1]]).await.code, 0);
    assert_eq!(states(&stack).await, ["current", "retired"]);
}

/// Names of keys are base64url: one in 64 begins like an option.
#[tokio::test]
async fn a_key_whose_name_begins_with_a_hyphen_is_a_key_like_any_other() {
    let stack = Stack::start().await;
    let refused = operator::run(&stack, &["keys", "retire", "-kid"]).await;
    assert!(refused.code != 0 && refused.stderr.contains("no key -kid"), "{}", refused.stderr);
}

#[tokio::test]
async fn a_key_that_was_made_elsewhere_is_imported_as_the_next_one_and_only_once() {
    let stack = Stack::start().await;
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let file = stack.directory().join("key.json");
    fs::write(&file, key.private_jwk()).unwrap();
    let import = ["keys", "import", file.to_str().unwrap()];
    let imported = operator::run(&stack, &import).await;
    assert!(imported.stdout.contains(key.kid()), "{}", imported.stderr);
    assert_eq!(states(&stack).await, ["current", "next"]);
    let again = operator::run(&stack, &import).await;
    assert!(again.code != 0 && again.stderr.contains("known already"), "{}", again.stderr);
    fs::write(&file, "no key").unwrap();
    let refused = operator::run(&stack, &import).await;
    assert!(refused.code != 0 && refused.stderr.contains("not usable"), "{}", refused.stderr);
}

#[tokio::test]
async fn with_another_master_secret_no_key_is_made() {
    let stack = Stack::start().await;
    write_secret(&stack.state.config.secret.secret_file);
    for command in [&["keys", "rotate"][..], &["keys", "rotate", "--emergency"], &["keys", "list"]]
    {
        let refused = operator::run(&stack, command).await;
        assert!(refused.code != 0 && refused.stderr.contains("AUTH_SECRET_FILE"));
    }
}
