//! Signing keys change every few seconds while tokens are issued and verified: no verifier may meet
//! a key that it does not know.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use super::{replicas::Replicas, report};
use crate::{
    people::browser::Browser,
    programs::{
        client::{Client, http},
        mcp_client::whoami,
    },
    stack::Engine,
    waiting::delay,
};

/// Seconds between two keys, the shortest that these lifetimes allow.
const PERIOD: &str = "5";
/// Seconds that verifiers may keep the keys, the shortest there is.
const MAX_AGE: &str = "10";
/// Seconds that a token lives: some outlive the key that signed them by far.
const LIFETIME: u64 = 60;
/// How long a key may take to sign at most: what is due later has failed.
const KEY_TIMEOUT: Duration = Duration::from_secs(60);
/// Between two rounds of a program, so that it does not keep the servers busy alone.
const PACE: Duration = Duration::from_millis(20);
/// Programs that issue and verify.
const PROGRAMS: usize = 4;

#[derive(Debug, Default)]
pub struct Figures {
    /// Tokens that were issued.
    pub issued: AtomicUsize,
    /// Verifications, by tokens new and old, at each `mcp`.
    pub verified: AtomicUsize,
    /// Keys that have signed.
    pub keys: AtomicUsize,
}

/// Two of `auth` and two of `mcp`, until so many keys have signed and `length` is over. Any refusal of
/// a token that has not expired fails.
pub async fn run(engine: Engine, keys: usize, length: Duration) -> Arc<Figures> {
    let lifetime = LIFETIME.to_string();
    let options = ["--key-rotation", PERIOD, "--jwks-max-age", MAX_AGE];
    let options = [&options[..], &["--access-token-lifetime", &lifetime]].concat();
    let replicas = Arc::new(Replicas::start(engine, (2, 2), &options).await);
    let client = replicas.register().await;
    let figures = Arc::new(Figures::default());
    let goal = (keys, Instant::now() + length);
    let mut programs = JoinSet::new();
    for number in 0..PROGRAMS {
        let person = Client::at(&replicas.issuer, &replicas.audience, &client.id);
        let tokens = person.obtain_tokens(&mut Browser::default()).await;
        let address = &replicas.auth[number % replicas.auth.len()];
        let program = Program {
            client: Client::at(address, &replicas.audience, &client.id),
            mcp: replicas.mcp.clone(),
            figures: figures.clone(),
            token: tokens.text("refresh_token").to_owned(),
        };
        programs.spawn(program.go_on(goal));
    }
    let all = async {
        while let Some(program) = programs.join_next().await {
            program.expect("a program that is content");
        }
    };
    let limit = length + KEY_TIMEOUT * u32::try_from(keys).expect("a small number");
    timeout(limit, all).await.expect("keys that follow one another");
    report(&format!("{engine:?}: {} s of rotation, {figures:?}", length.as_secs()));
    figures
}

struct Program {
    client: Client,
    mcp: Vec<String>,
    figures: Arc<Figures>,
    token: String,
}

impl Program {
    /// Issues, and verifies new and old tokens everywhere, until it has seen so many keys and the
    /// moment has come.
    async fn go_on(mut self, (keys, end): (usize, Instant)) {
        let http = http();
        let mut kids = BTreeSet::new();
        let mut live: VecDeque<(String, Instant)> = VecDeque::new();
        while kids.len() < keys || Instant::now() < end {
            let answer = self.client.refresh(&self.token).await;
            assert_eq!(answer.status, 200, "no token: {}", answer.json);
            self.token = answer.text("refresh_token").to_owned();
            self.figures.issued.fetch_add(1, Ordering::Relaxed);
            let access = answer.text("access_token").to_owned();
            kids.insert(kid(&access));
            // A margin, so that none expires between the choice and the call.
            live.push_back((access, Instant::now() + Duration::from_secs(LIFETIME - 5)));
            while live.front().is_some_and(|(_, over)| *over < Instant::now()) {
                live.pop_front();
            }
            let oldest = live.front().map(|(token, _)| token.clone()).unwrap_or_default();
            let newest = live.back().map(|(token, _)| token.clone()).unwrap_or_default();
            for mcp in &self.mcp {
                for token in [&newest, &oldest] {
                    let answer = whoami(&http, &format!("{mcp}/mcp"), token).await;
                    assert_eq!(answer.status, 200, "a failed verification: {}", answer.json);
                    self.figures.verified.fetch_add(1, Ordering::Relaxed);
                }
            }
            delay(PACE).await;
        }
        self.figures.keys.fetch_max(kids.len(), Ordering::Relaxed);
    }
}

fn kid(token: &str) -> String {
    let header = token.split('.').next().unwrap_or_default();
    let header = URL_SAFE_NO_PAD.decode(header).expect("a header");
    let header: Value = serde_json::from_slice(&header).expect("a header");
    header["kid"].as_str().unwrap_or_default().to_owned()
}
