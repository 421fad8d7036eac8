//! `auth` dies without warning, again and again, while programs use it. Nobody may lose a grant,
//! win a token twice, or keep one that was revoked.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use reqwest::StatusCode;
use tokio::task::JoinSet;

use super::{races::is_live, replicas::Replicas, report, seeded::Seeded};
use crate::{
    people::browser::Browser,
    programs::client::{Answer, Client},
    stack::Engine,
    waiting::{before_retry, delay},
};

/// Programs under load.
const PROGRAMS: usize = 6;
/// Shortest and longest life of the process after it is ready, in milliseconds.
const LIFE: (usize, usize) = (30, 330);

#[derive(Debug, Default)]
pub struct Figures {
    /// Refreshes that were answered.
    pub refreshes: AtomicUsize,
    /// Answers that never came, so that the program asked again.
    pub lost_answers: AtomicUsize,
    /// Codes that were exchanged.
    pub codes: AtomicUsize,
    /// Codes whose answer was lost after they had been redeemed, so that the program signed in again.
    pub codes_lost: AtomicUsize,
    /// Grants that were revoked and stayed dead.
    pub revoked: AtomicUsize,
}

/// Kills an `auth` so many times; where there are two, either. The figures are of all programs
/// together.
pub async fn run(engine: Engine, kills: usize, seed: u64) -> Arc<Figures> {
    let auths = Replicas::of_auth(engine);
    let mut replicas = Replicas::start(engine, (auths, 0), &[]).await;
    let client = replicas.register().await;
    let figures = Arc::new(Figures::default());
    let over = Arc::new(AtomicBool::default());
    let mut programs = JoinSet::new();
    for number in 0..PROGRAMS {
        let client = Client::at(&replicas.issuer, &replicas.audience, &client.id);
        let browser = signed_in(&client).await;
        let program = Program {
            client,
            browser,
            figures: figures.clone(),
            random: Seeded::new(seed ^ (number as u64 + 1)),
        };
        programs.spawn(program.go_on(over.clone()));
    }
    let mut random = Seeded::new(seed);
    for kill in 1..=kills {
        let life = LIFE.0 + random.below(LIFE.1 - LIFE.0);
        delay(Duration::from_millis(life as u64)).await;
        replicas.crash(random.below(auths)).await;
        if kill.is_multiple_of(20) || kill == kills {
            report(&format!("{engine:?}: killed {kill} of {kills} times, {figures:?}"));
        }
    }
    over.store(true, Ordering::Relaxed);
    while let Some(program) = programs.join_next().await {
        program.expect("a program that is content");
    }
    figures
}

/// A browser whose session lasts, so that a new code costs no sign-in.
async fn signed_in(client: &Client) -> Browser {
    let mut browser = Browser::patient();
    client.obtain_code(&mut browser).await;
    browser
}

struct Program {
    client: Client,
    browser: Browser,
    figures: Arc<Figures>,
    random: Seeded,
}

impl Program {
    /// Uses its grant until told to stop; once in a while it starts over.
    async fn go_on(mut self, over: Arc<AtomicBool>) {
        let mut token = self.sign_in().await;
        while !over.load(Ordering::Relaxed) {
            let answer = self.refresh(&token).await;
            token = answer.text("refresh_token").to_owned();
            match self.random.below(20) {
                0 => token = self.sign_in().await,
                1 => {
                    self.revoke(&token, answer.text("access_token")).await;
                    token = self.sign_in().await;
                }
                _ => {}
            }
        }
        // After the last crash: the grant is there, and so is what it gives.
        let answer = self.refresh(&token).await;
        assert!(is_live(&self.client, &answer).await, "a dead token");
    }

    /// A code. A crash may have taken the answer to a consent that was stored: the page then says
    /// that it was answered, and a person starts again.
    async fn code(&mut self) -> String {
        let url = self.client.authorize_url(&self.client.authorize_parameters());
        loop {
            let page = self.client.reach_consent(&mut self.browser, &url).await;
            let page = self.browser.press(&page, "decision", "allow").await;
            match page.query("code") {
                Some(code) => return code,
                None => assert!(page.text().contains("consent_answered"), "{}", page.text()),
            }
        }
    }

    /// A code, and its exchange. An answer that was lost may have redeemed the code: then it is
    /// refused from now on, as a replay, and the program asks for another.
    async fn sign_in(&mut self) -> String {
        loop {
            let code = self.code().await;
            let form = self.client.code_form(&code);
            let (answer, lost) = self.until_answered("/token", &form).await;
            if answer.status == StatusCode::OK {
                self.figures.codes.fetch_add(1, Ordering::Relaxed);
                let again = self.until_answered("/token", &form).await.0;
                assert_eq!(again.text("error"), "invalid_grant", "a code was issued twice");
                // The replay has ended what it gave; a code that is used once gives the next grant.
                return self.first_use().await;
            }
            assert!(lost && answer.text("error") == "invalid_grant", "{}", answer.json);
            self.figures.codes_lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A refresh token from a code that is sent once only.
    async fn first_use(&mut self) -> String {
        loop {
            let code = self.code().await;
            let form = self.client.code_form(&code);
            match self.client.try_post("/token", &form).await {
                Some(answer) if answer.status == StatusCode::OK => {
                    return answer.text("refresh_token").to_owned();
                }
                _ => self.figures.lost_answers.fetch_add(1, Ordering::Relaxed),
            };
        }
    }

    /// An honest program's refresh never fails, however often its answer is lost.
    async fn refresh(&self, token: &str) -> Answer {
        let form = self.client.refresh_form(token);
        let (answer, _) = self.until_answered("/token", &form).await;
        assert_eq!(answer.status, StatusCode::OK, "a grant was lost: {}", answer.json);
        self.figures.refreshes.fetch_add(1, Ordering::Relaxed);
        answer
    }

    /// Once the server has said so, neither token of the grant ever counts again.
    async fn revoke(&self, token: &str, access_token: &str) {
        let form = [("token", token.to_owned()), ("client_id", self.client.id.clone())];
        let (answer, _) = self.until_answered("/revoke", &form).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
        let form = self.client.refresh_form(token);
        let (answer, _) = self.until_answered("/token", &form).await;
        assert_eq!(answer.text("error"), "invalid_grant", "a zombie: {}", answer.json);
        let answer = loop {
            match self.client.try_user_info(access_token).await {
                Some(answer) => break answer,
                None => before_retry().await,
            }
        };
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "a zombie: {}", answer.json);
        self.figures.revoked.fetch_add(1, Ordering::Relaxed);
    }

    /// The answer to a form, and whether one was lost before it.
    async fn until_answered(&self, path: &str, form: &[(&'static str, String)]) -> (Answer, bool) {
        self.client.post_until_answered(path, form, &self.figures.lost_answers).await
    }
}
