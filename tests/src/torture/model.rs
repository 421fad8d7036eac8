//! A small model of grants, and random interleavings of the real server that must agree with it.
//!
//! Each turn sends up to three messages at once. Their answers must be those that the model gives in
//! some order: every message takes effect at one moment. Where several orders explain the answers,
//! all of them are followed until one is left.

use std::collections::HashMap;

use futures::future::join_all;

use super::{report, seeded::Seeded};
use crate::{
    people::browser::Browser,
    programs::client::{Answer, Client},
    stack::{Engine, Stack},
};

const CODE_LIFETIME: i64 = 60;
const GRACE: i64 = 120;
const REFRESH_LIFETIME: i64 = 3_000;
const GRANT_LIFETIME: i64 = 20_000;
/// Most grants that are played with at once.
const MAX_GRANTS: usize = 5;

/// A grant as the rules know it. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq)]
struct Grant {
    is_revoked: bool,
    is_redeemed: bool,
    code_expires_at: i64,
    expires_at: i64,
    /// The generation of the good refresh token.
    generation: usize,
    refresh_expires_at: i64,
    /// When each generation was replaced.
    rotated_at: Vec<i64>,
}

/// A message about the grant of this number.
#[derive(Clone, Copy, Debug)]
enum Step {
    Redeem(usize),
    Refresh(usize, usize),
    Revoke(usize, usize),
    UserInfo(usize, usize),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    /// Tokens, with the refresh token of this generation.
    Tokens(usize),
    Refused,
    Done,
}

impl Grant {
    fn new(now: i64) -> Self {
        Self {
            is_revoked: false,
            is_redeemed: false,
            code_expires_at: now + CODE_LIFETIME,
            expires_at: now + GRANT_LIFETIME,
            generation: 0,
            refresh_expires_at: 0,
            rotated_at: Vec::new(),
        }
    }

    fn is_live(&self, now: i64) -> bool {
        !self.is_revoked && now < self.expires_at
    }

    fn apply(&mut self, step: Step, until: i64, now: i64) -> Outcome {
        match step {
            Step::Redeem(_) => self.redeem(now),
            Step::Refresh(_, generation) => self.refresh(generation, now),
            Step::Revoke(..) => {
                self.is_revoked = true;
                Outcome::Done
            }
            Step::UserInfo(..) if self.is_live(now) && now < until => Outcome::Done,
            Step::UserInfo(..) => Outcome::Refused,
        }
    }

    fn redeem(&mut self, now: i64) -> Outcome {
        if !self.is_live(now) {
            return Outcome::Refused;
        }
        if self.is_redeemed {
            self.is_revoked = true;
            return Outcome::Refused;
        }
        if self.code_expires_at <= now {
            return Outcome::Refused;
        }
        self.is_redeemed = true;
        self.refresh_expires_at = now + REFRESH_LIFETIME;
        Outcome::Tokens(0)
    }

    fn refresh(&mut self, generation: usize, now: i64) -> Outcome {
        if !self.is_live(now) {
            return Outcome::Refused;
        }
        if generation == self.generation {
            if self.refresh_expires_at <= now {
                return Outcome::Refused;
            }
            self.rotated_at.push(now);
            self.generation += 1;
            self.refresh_expires_at = now + REFRESH_LIFETIME;
            return Outcome::Tokens(self.generation);
        }
        if now - self.rotated_at[generation] >= GRACE {
            self.is_revoked = true;
            return Outcome::Refused;
        }
        if generation + 1 == self.generation {
            Outcome::Tokens(self.generation)
        } else {
            Outcome::Refused
        }
    }
}

/// What the client holds of a grant.
#[derive(Debug, Default)]
struct Held {
    code: String,
    refresh: Vec<String>,
    /// An access token of each answer, and until when it counts.
    access: Vec<(String, i64)>,
}

struct Play {
    stack: Stack,
    client: Client,
    browser: Browser,
    random: Seeded,
    held: Vec<Held>,
    /// Every state that explains what was seen.
    candidates: Vec<Vec<Grant>>,
    seen: HashMap<&'static str, usize>,
}

/// Plays so many turns. The counts of what was seen.
pub async fn run(engine: Engine, turns: usize, seed: u64) -> HashMap<&'static str, usize> {
    let refresh = REFRESH_LIFETIME.to_string();
    let grant = GRANT_LIFETIME.to_string();
    let options = ["--refresh-token-lifetime", &refresh, "--grant-lifetime", &grant];
    // What is refused is refused for its reason, however often that is.
    let unlimited = ["--limit-failed-requests", "0", "--limit-approvals", "0"];
    let unlimited = [&unlimited[..], &["--limit-revocations", "0"]].concat();
    let further = [&["--session-lifetime", "999999999"], &unlimited[..]].concat();
    let options = [&options[..], &further].concat();
    let stack = Stack::on_with(engine, &options).await;
    let client = Client::register(&stack).await;
    let mut play = Play {
        stack,
        client,
        browser: Browser::default(),
        random: Seeded::new(seed),
        held: Vec::new(),
        candidates: vec![Vec::new()],
        seen: HashMap::new(),
    };
    for turn in 1..=turns {
        play.turn().await;
        if turn.is_multiple_of(500) {
            report(&format!("{engine:?}: {turn} of {turns} turns agree, {:?}", play.seen));
        }
    }
    play.seen
}

impl Play {
    async fn turn(&mut self) {
        match self.random.below(10) {
            0 => self.forget_and_consent().await,
            1 if !self.held.is_empty() => {
                let often = self.random.below(8) > 0;
                let seconds =
                    if often { &[1, 7, 31, 67, 119, 125][..] } else { &[905, 3_001, 20_001] };
                self.stack.advance(*self.random.pick(seconds));
            }
            _ if self.held.is_empty() => self.forget_and_consent().await,
            // Dead grants answer nothing but no, which is soon told.
            2..=7 if self.are_all_dead() => self.forget_and_consent().await,
            _ => self.send_at_once().await,
        }
    }

    /// One grant more; beyond the most, the oldest is left alone from then on.
    async fn forget_and_consent(&mut self) {
        if self.held.len() == MAX_GRANTS {
            self.held.remove(0);
            self.candidates.iter_mut().for_each(|grants| drop(grants.remove(0)));
        }
        let before = self.now();
        let code = self.client.obtain_code(&mut self.browser).await;
        self.held.push(Held { code, ..Held::default() });
        let times: Vec<i64> = (before..=self.now()).collect();
        let known = std::mem::take(&mut self.candidates);
        for grants in known {
            for now in &times {
                self.candidates.push([&grants[..], &[Grant::new(*now)]].concat());
            }
        }
    }

    async fn send_at_once(&mut self) {
        // One grant, so that the messages meet. A code that several redeem at once ends it, so mostly
        // one does.
        let grant = self.random.below(self.held.len());
        let alone = self.held[grant].refresh.is_empty() && self.random.below(4) > 0;
        let count = if alone { 1 } else { 1 + self.random.below(3) };
        let steps: Vec<Step> = (0..count).map(|_| self.choose(grant)).collect();
        let before = self.now();
        let answers = join_all(steps.iter().map(|step| self.send(*step))).await;
        let times: Vec<i64> = (before..=self.now()).collect();
        let outcomes: Vec<Outcome> =
            steps.iter().zip(&answers).map(|(step, answer)| self.outcome(*step, answer)).collect();
        self.keep_what_explains(&steps, &outcomes, &times);
    }

    fn choose(&mut self, grant: usize) -> Step {
        let held = &self.held[grant];
        let refresh = held.refresh.len();
        let access = held.access.len();
        if refresh == 0 {
            return Step::Redeem(grant);
        }
        // The newest token more often than any other.
        let newest = self.random.below(3) > 0;
        let generation = if newest { refresh - 1 } else { self.random.below(refresh) };
        match self.random.below(30) {
            0 => Step::Redeem(grant),
            1 => Step::Revoke(grant, generation),
            2..=6 => Step::UserInfo(grant, self.random.below(access)),
            _ => Step::Refresh(grant, generation),
        }
    }

    async fn send(&self, step: Step) -> Answer {
        let id = || ("client_id", self.client.id.clone());
        match step {
            Step::Redeem(grant) => {
                self.client.post("/token", &self.client.code_form(&self.held[grant].code)).await
            }
            Step::Refresh(grant, generation) => {
                self.client.refresh(&self.held[grant].refresh[generation]).await
            }
            Step::Revoke(grant, generation) => {
                let token = self.held[grant].refresh[generation].clone();
                self.client.post("/revoke", &[("token", token), id()]).await
            }
            Step::UserInfo(grant, number) => {
                self.client.user_info(&self.held[grant].access[number].0).await
            }
        }
    }

    /// What an answer means. Tokens must continue the lineage that the client knows.
    fn outcome(&mut self, step: Step, answer: &Answer) -> Outcome {
        let (name, outcome) = match (step, answer.status.as_u16()) {
            (Step::Redeem(grant) | Step::Refresh(grant, _), 200) => {
                let generation = match step {
                    Step::Refresh(_, generation) => generation + 1,
                    _ => 0,
                };
                self.hold(grant, generation, answer);
                ("tokens", Outcome::Tokens(generation))
            }
            (Step::Redeem(_) | Step::Refresh(..), 400) => {
                assert_eq!(answer.text("error"), "invalid_grant", "{}", answer.json);
                ("refused", Outcome::Refused)
            }
            (Step::Revoke(..), 200) => ("revoked", Outcome::Done),
            (Step::UserInfo(..), 200) => ("live", Outcome::Done),
            (Step::UserInfo(..), 401) => ("over", Outcome::Refused),
            (_, status) => panic!("{step:?} was answered with {status}: {}", answer.json),
        };
        *self.seen.entry(name).or_default() += 1;
        outcome
    }

    fn hold(&mut self, grant: usize, generation: usize, answer: &Answer) {
        let until = self.now() + answer.json["expires_in"].as_i64().unwrap_or_default();
        let held = &mut self.held[grant];
        held.access.push((answer.text("access_token").to_owned(), until));
        let token = answer.text("refresh_token").to_owned();
        match held.refresh.get(generation) {
            Some(known) => assert_eq!(*known, token, "two successors of one refresh token"),
            None => held.refresh.push(token),
        }
    }

    fn keep_what_explains(&mut self, steps: &[Step], outcomes: &[Outcome], times: &[i64]) {
        let mut explained: Vec<Vec<Grant>> = Vec::new();
        for grants in &self.candidates {
            for order in orders(steps.len()) {
                for now in times {
                    let mut grants = grants.clone();
                    let agrees = order.iter().all(|&at| {
                        let (grant, until) = self.subject(steps[at]);
                        grants[grant].apply(steps[at], until, *now) == outcomes[at]
                    });
                    if agrees && !explained.contains(&grants) {
                        explained.push(grants);
                    }
                }
            }
        }
        assert!(
            !explained.is_empty(),
            "no order of {steps:?} explains {outcomes:?} at {times:?}, from {:#?}",
            self.candidates
        );
        self.candidates = explained;
    }

    fn subject(&self, step: Step) -> (usize, i64) {
        match step {
            Step::Redeem(grant) | Step::Refresh(grant, _) | Step::Revoke(grant, _) => (grant, 0),
            Step::UserInfo(grant, number) => (grant, self.held[grant].access[number].1),
        }
    }

    fn are_all_dead(&self) -> bool {
        let lives = |grant: &Grant| grant.is_live(self.now());
        !self.candidates.iter().any(|grants| grants.iter().any(lives))
    }

    fn now(&self) -> i64 {
        self.stack.state.clock.now()
    }
}

/// Every order of so many things, up to three.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for shorter in orders(count - 1) {
        for at in 0..=shorter.len() {
            let mut order = shorter.clone();
            order.insert(at, count - 1);
            all.push(order);
        }
    }
    all
}
