//! Signing keys follow one another, and no verifier ever meets a key that it could not know.

use std::{collections::BTreeSet, sync::Arc};

use auth::{
    config::Config,
    key_ring::{KeyPlan, LiveKeyRing},
    seals::Seals,
    state::AppState,
    storage::{Database, signing_keys},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::Parser;
use futures::future::join_all;
use keys::{Algorithm, MasterSecrets, Rotation};
use net::clock::Clock;
use serde_json::{Value, json};
use tests::{
    people::browser::Browser,
    programs::{
        client::{Answer, Client, http},
        mcp_client::{Wire, call},
    },
    stack::{Stack, auth_options, config_file, postgres, write_secret},
};

const MAX_AGE: i64 = 60;
const PERIOD: i64 = 2000;
const ROTATION: [&str; 4] = ["--jwks-max-age", "60", "--key-rotation", "2000"];

async fn published(stack: &Stack) -> BTreeSet<String> {
    let answer = Answer::of(http().get(stack.at("/jwks"))).await;
    let keys = answer.json["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn header(token: &str) -> Value {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice(&header).unwrap()
}

fn kid(answer: &Answer) -> String {
    header(answer.text("access_token"))["kid"].as_str().unwrap().to_owned()
}

async fn keep(stack: &Stack) {
    stack.state.keys.keep(&stack.state.db, stack.state.clock.now()).await.unwrap();
}

#[tokio::test]
async fn a_key_is_published_for_the_max_age_before_it_signs_and_until_its_tokens_are_over() {
    let stack = Stack::start_with(&ROTATION, &[]).await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    let old = kid(&tokens);

    stack.advance(PERIOD - MAX_AGE);
    keep(&stack).await;
    let both = published(&stack).await;
    assert_eq!(both.len(), 2, "the next key is not published");
    stack.advance(MAX_AGE);
    let early = client.refresh(tokens.text("refresh_token")).await;
    assert_eq!(kid(&early), old, "a key signs before verifiers had time to fetch it");

    stack.advance(10);
    let late = client.refresh(early.text("refresh_token")).await;
    assert!(kid(&late) != old && both.contains(&kid(&late)));
    for token in [&early, &late] {
        let token = token.text("access_token");
        let answer = call(&stack.resource, Wire::V2026, token, "whoami", json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
    }
    stack.advance(900);
    assert_eq!(published(&stack).await, both, "the previous key went before its tokens");
    stack.advance(60);
    assert_eq!(published(&stack).await, [kid(&late)].into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn replicas_that_rotate_at_once_make_one_key_on_either_engine() {
    let data = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite://{}/auth.db", data.path().display());
    let secret = MasterSecrets::generate().unwrap();
    let seals = Arc::new(Seals::new(&MasterSecrets::parse(&secret).unwrap()));
    let rotation = Rotation { period: 1000, lead: 300, stay: 900 };
    for url in [sqlite, postgres::database().await] {
        let db = Database::open(&url).await.unwrap();
        for now in [0, 800] {
            let replicas = (0..6).map(|_| {
                let url = url.clone();
                let seals = seals.clone();
                tokio::spawn(async move {
                    let db = Database::open(&url).await.unwrap();
                    let plan = KeyPlan { algorithms: vec![Algorithm::ES256], rotation };
                    LiveKeyRing::open(&db, seals, plan, now).await.unwrap()
                })
            });
            let current: BTreeSet<String> = join_all(replicas)
                .await
                .into_iter()
                .map(|ring| ring.unwrap().current(now).unwrap().kid().to_owned())
                .collect();
            assert_eq!(current.len(), 1, "replicas sign with different keys");
        }
        assert_eq!(signing_keys::all(db.connection()).await.unwrap().len(), 2, "{url}");
    }
}

#[tokio::test]
async fn a_key_that_another_replica_has_made_is_published_at_once() {
    let stack = Stack::start_with(&ROTATION, &[]).await;
    let state = &stack.state;
    let before = published(&stack).await;
    stack.advance(PERIOD);
    let rotation = Rotation { period: PERIOD, lead: MAX_AGE + 5, stay: 960 };
    let plan = KeyPlan { algorithms: vec![Algorithm::ES256], rotation };
    let now = state.clock.now();
    LiveKeyRing::open(&state.db, state.seals.clone(), plan, now).await.unwrap();
    let after = published(&stack).await;
    assert!(after.is_superset(&before) && after.len() == 2, "{after:?}");
}

#[tokio::test]
async fn a_resource_has_the_algorithm_that_it_asks_for_and_the_guard_accepts_it() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("portcullis.toml");
    for algorithm in ["ES256", "EdDSA", "RS256"] {
        let resource = json!([{"resource": "http://localhost:9/mcp", "name": "Demo",
            "signing_algorithm": algorithm,
            "scopes": [{"name": "mcp:tools", "description": "Use the tools"}]}]);
        let [option, path] = config_file::write(&file, &json!({"resources": resource}));
        let options = [&option, &path, "--signing-algorithm", algorithm];
        let mut stack =
            Stack::start_with(&options, &["--resource", "http://localhost:9/mcp"]).await;
        stack.audience = "http://localhost:9/mcp".into();
        let client = Client::register(&stack).await;
        let tokens = client.obtain_tokens(&mut Browser::default()).await;
        let token = tokens.text("access_token");
        assert_eq!(header(token)["alg"], algorithm);
        let answer = call(&stack.resource, Wire::V2026, token, "whoami", json!({})).await;
        assert_eq!(answer.status, 200, "{algorithm}: {}", answer.json);
    }
}

#[tokio::test]
async fn an_algorithm_that_is_new_is_published_before_it_signs() {
    let stack = Stack::start_with(&ROTATION, &[]).await;
    let now = stack.state.clock.now();
    let seals = stack.state.seals.clone();
    let algorithms = vec![Algorithm::ES256, Algorithm::RS256];
    let rotation = stack.state.config.keys.rotation(900);
    let plan = KeyPlan { algorithms, rotation };
    let ring = LiveKeyRing::open(&stack.state.db, seals, plan, now).await.unwrap();
    assert_eq!(ring.key_set(now).keys().len(), 2);
    let algorithm = |now| ring.current_for(Algorithm::RS256, now).unwrap().algorithm();
    assert_eq!(algorithm(now + MAX_AGE), Algorithm::ES256);
    assert_eq!(algorithm(now + rotation.lead), Algorithm::RS256);
}

#[tokio::test]
async fn times_that_verifiers_could_not_follow_stop_the_start() {
    let data = tempfile::tempdir().unwrap();
    write_secret(&data.path().join("secret"));
    for (name, value, setting) in [
        ("--jwks-max-age", "9", "AUTH_JWKS_MAX_AGE"),
        ("--jwks-max-age", "86401", "AUTH_JWKS_MAX_AGE"),
        ("--key-rotation", "5", "AUTH_KEY_ROTATION"),
    ] {
        let issuer = "http://localhost:3000";
        let github = "http://localhost:3002";
        let mut options = auth_options(data.path(), issuer, github, "http://localhost:3001/mcp");
        options.extend([name.to_owned(), value.to_owned()]);
        let config = Config::try_parse_from(options).unwrap();
        let started = AppState::start(config, Clock::system()).await;
        let refusal = started.map(|_| ()).unwrap_err().to_string();
        assert!(refusal.contains(setting), "{refusal}");
    }
}
