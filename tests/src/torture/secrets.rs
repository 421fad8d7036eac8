//! A new master secret is rolled over the replicas one by one while users sign in and clients
//! refresh. No request may be refused.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use keys::MasterSecrets;
use tokio::task::JoinSet;

use super::{replicas::Replicas, report};
use crate::{
    people::browser::Browser,
    programs::client::{Answer, Client},
    stack::Engine,
    waiting::delay,
};

/// Between two refreshes of a program.
const PACE: Duration = Duration::from_millis(20);
/// Programs that refresh, and people who sign in, at any time.
const PROGRAMS: usize = 4;

/// How a secret is brought to the replicas.
#[derive(Clone, Copy, Debug)]
pub struct Roll {
    /// Between the restarts of two replicas.
    pub apart: Duration,
    /// After the last of them.
    pub settle: Duration,
    /// Whether the new line is at the bottom of every file before it is on top of one.
    pub bottom_first: bool,
}

#[derive(Debug, Default)]
pub struct Figures {
    /// Sign-ins that ended with tokens.
    pub sign_ins: AtomicUsize,
    /// Refreshes that were answered with tokens.
    pub refreshes: AtomicUsize,
    /// Exchanges and refreshes whose answer a restart took away.
    pub lost_answers: AtomicUsize,
    /// Sign-ins and refreshes that were refused, and how.
    pub refusals: Mutex<Vec<String>>,
}

/// Rolls a new secret over two replicas in each of these ways, and fails on any refusal, or if the
/// newest secret does not seal in the end.
pub async fn run(rolls: &[Roll]) -> Arc<Figures> {
    let mut replicas = Replicas::start(Engine::Postgres, (2, 0), &[]).await;
    let client = replicas.register().await;
    let figures = Arc::new(Figures::default());
    let over = Arc::new(AtomicBool::default());
    let mut programs = JoinSet::new();
    for _ in 0..PROGRAMS {
        let client = Client::at(&replicas.issuer, &replicas.audience, &client.id);
        let program = Program { client: client.without_keep_alive(), figures: figures.clone() };
        programs.spawn(program.go_on(over.clone()));
    }
    let mut old = replicas.secret();
    let mut newest = String::new();
    for roll in rolls {
        report(&format!("{roll:?}"));
        let new = MasterSecrets::generate().expect("a secret");
        let on_top = format!("{new}\n{old}");
        let at_the_bottom = format!("{old}\n{new}");
        let steps = if roll.bottom_first { vec![at_the_bottom, on_top] } else { vec![on_top] };
        for lines in steps {
            for number in 0..replicas.auth.len() {
                delay(roll.apart).await;
                replicas.restart_with_secrets(number, &lines).await;
                report(&format!("restarted {number}: {}", figures.summary()));
            }
        }
        delay(roll.settle).await;
        report(&format!("settled: {}", figures.summary()));
        old = format!("{new}\n{old}");
        newest = new;
    }
    over.store(true, Ordering::Relaxed);
    while let Some(program) = programs.join_next().await {
        program.expect("a program that ends");
    }
    // It starts only if the keys are sealed under the newest secret, so that the others can go.
    replicas.restart_with_secrets(0, &newest).await;
    let refusals = figures.refusals.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert!(refusals.is_empty(), "{} refusals, among them {:?}", refusals.len(), refusals.first());
    figures
}

impl Figures {
    fn summary(&self) -> String {
        let refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |what: &str| refusals.iter().filter(|refusal| refusal.starts_with(what)).count();
        format!(
            "{} sign-ins, {} refreshes, {} answers lost; refused: {} sign-ins, {} refreshes",
            self.sign_ins.load(Ordering::Relaxed),
            self.refreshes.load(Ordering::Relaxed),
            self.lost_answers.load(Ordering::Relaxed),
            of("sign-in"),
            of("refresh"),
        )
    }

    fn refused(&self, what: &str, answer: &str) {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        refusals.push(format!("{what}: {answer}"));
    }
}

struct Program {
    client: Client,
    figures: Arc<Figures>,
}

impl Program {
    /// Signs in, refreshes ten times, and starts over in a fresh browser.
    async fn go_on(self, over: Arc<AtomicBool>) {
        while !over.load(Ordering::Relaxed) {
            let Some(mut token) = self.sign_in().await else { continue };
            for _ in 0..10 {
                delay(PACE).await;
                let form = self.client.refresh_form(&token);
                let (answer, _) = self.until_answered("/token", &form).await;
                if answer.status != 200 {
                    self.figures.refused("refresh", &answer.json.to_string());
                    break;
                }
                self.figures.refreshes.fetch_add(1, Ordering::Relaxed);
                token = answer.text("refresh_token").to_owned();
            }
        }
    }

    /// The refresh token of a new sign-in; `None` where there is none.
    async fn sign_in(&self) -> Option<String> {
        let mut browser = Browser::patient();
        let url = self.client.authorize_url(&self.client.authorize_parameters());
        let page = self.client.reach_consent(&mut browser, &url).await;
        if !page.html.contains("name=\"decision\"") {
            self.figures.refused("sign-in", &format!("{} {}", page.status, page.text()));
            return None;
        }
        let page = browser.press(&page, "decision", "allow").await;
        let Some(code) = page.query("code") else {
            // The answer to a consent that was stored may have been lost with its connection.
            if !page.text().contains("consent_answered") {
                self.figures.refused("sign-in", &format!("{} {}", page.status, page.text()));
            }
            return None;
        };
        let (answer, lost) = self.until_answered("/token", &self.client.code_form(&code)).await;
        if answer.status == 200 {
            self.figures.sign_ins.fetch_add(1, Ordering::Relaxed);
            return Some(answer.text("refresh_token").to_owned());
        }
        // A code whose answer was lost counts as a replay.
        if !lost {
            self.figures.refused("sign-in", &answer.json.to_string());
        }
        None
    }

    /// The answer to a form, and whether one was lost before it.
    async fn until_answered(&self, path: &str, form: &[(&'static str, String)]) -> (Answer, bool) {
        self.client.post_until_answered(path, form, &self.figures.lost_answers).await
    }
}
