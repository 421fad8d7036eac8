//! `load`: reads a plan as JSON from its standard input, puts load on servers of this machine, and
//! prints what it took as one line of JSON.

mod connection;
mod processes;
mod step;
mod user;

use std::{
    cell::{Cell, RefCell},
    error::Error,
    io,
    time::{Duration, Instant},
};

use futures::stream::{FuturesUnordered, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    processes::{Usage, machine, usage},
    step::{Step, Variables},
    user::User,
};

/// Failures after which a run ends early.
const MAX_FAILURES: usize = 20;
/// Longest wait for requests in progress after the end.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    /// Virtual users, each with a connection of its own.
    connections: usize,
    /// Longest time that is measured.
    seconds: f64,
    /// Time before it. Where the number of iterations is limited there is none.
    warm_up: f64,
    /// Most iterations, if they are limited.
    iterations: Option<usize>,
    values: Variables,
    /// What each user does once before.
    init: Vec<Step>,
    /// What is done once for each iteration, before any is measured; each iteration then starts with
    /// the values that one of these left.
    prepare: Vec<Step>,
    /// What is repeated and measured.
    each: Vec<Step>,
    /// The servers whose CPU time is measured.
    processes: Vec<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    WarmUp,
    Measure,
    Stop,
}

/// What the virtual users share.
struct Run<'a> {
    plan: &'a Plan,
    phase: Cell<Phase>,
    started: Cell<usize>,
    prepared: RefCell<Vec<Variables>>,
    milliseconds: RefCell<Vec<f64>>,
    failures: RefCell<Vec<String>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let plan: Plan = serde_json::from_reader(io::stdin())?;
    let phase = Cell::new(Phase::WarmUp);
    let run = Run {
        plan: &plan,
        phase,
        started: Cell::default(),
        prepared: RefCell::default(),
        milliseconds: RefCell::default(),
        failures: RefCell::default(),
    };
    let users = run.users().await?;
    println!("{}", run.measure(users).await);
    Ok(())
}

impl Run<'_> {
    /// The users, ready to begin.
    async fn users(&self) -> Result<Vec<User>, String> {
        let mut users = Vec::new();
        for number in 0..self.plan.connections {
            let mut user = User::new(self.plan.values.clone());
            user.values.insert("user".to_owned(), number.to_string());
            user.walk(&self.plan.init).await?;
            users.push(user);
        }
        if !self.plan.prepare.is_empty() {
            let preparing = users.iter_mut().map(|user| self.prepare(user));
            preparing.collect::<FuturesUnordered<_>>().collect::<Vec<()>>().await;
            self.started.set(0);
        }
        match self.failures.borrow().first() {
            Some(failure) => Err(failure.clone()),
            None => Ok(users),
        }
    }

    async fn prepare(&self, user: &mut User) {
        while self.may_start() {
            match user.walk(&self.plan.prepare).await {
                Ok(()) => self.prepared.borrow_mut().push(user.values.clone()),
                Err(failure) => self.failures.borrow_mut().push(failure),
            }
        }
    }

    async fn measure(&self, users: Vec<User>) -> Value {
        let plan = self.plan;
        let users = users.into_iter().map(|user| self.repeat(user));
        let mut all = users.collect::<FuturesUnordered<_>>().collect::<Vec<()>>();
        let warm_up = Duration::from_secs_f64(plan.warm_up);
        let mut ended = plan.iterations.is_none() && timeout(warm_up, &mut all).await.is_ok();
        self.phase.set(Phase::Measure);
        let before = Reading::take(plan);
        if !ended {
            ended = timeout(Duration::from_secs_f64(plan.seconds), &mut all).await.is_ok();
        }
        self.phase.set(Phase::Stop);
        let after = Reading::take(plan);
        if !ended {
            let _ = timeout(DRAIN_TIMEOUT, &mut all).await;
        }
        report(self.milliseconds.take(), &self.failures.borrow(), &before, &after)
    }

    async fn repeat(&self, mut user: User) {
        while self.phase.get() != Phase::Stop && self.may_start() {
            if let Some(values) = self.prepared.borrow_mut().pop() {
                user.values = values;
            }
            let started = Instant::now();
            match user.walk(&self.plan.each).await {
                Ok(()) if self.phase.get() == Phase::Measure => {
                    let milliseconds = started.elapsed().as_secs_f64() * 1000.0;
                    self.milliseconds.borrow_mut().push(milliseconds);
                }
                Ok(()) => {}
                Err(failure) => self.failures.borrow_mut().push(failure),
            }
        }
    }

    /// Whether one more iteration may start, which is counted.
    fn may_start(&self) -> bool {
        let started = self.started.replace(self.started.get() + 1);
        let is_within = self.plan.iterations.is_none_or(|most| started < most);
        is_within && self.failures.borrow().len() < MAX_FAILURES
    }
}

/// What the clocks show at one moment.
struct Reading {
    at: Instant,
    servers: Usage,
    machine: (f64, f64),
}

impl Reading {
    fn take(plan: &Plan) -> Self {
        Self { at: Instant::now(), servers: usage(&plan.processes), machine: machine() }
    }
}

fn report(mut times: Vec<f64>, failures: &[String], before: &Reading, after: &Reading) -> Value {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times.get((times.len() as f64 * share) as usize);
    let seconds = (after.at - before.at).as_secs_f64();
    let cpu_ms = after.servers.cpu_ms - before.servers.cpu_ms;
    let busy = (after.machine.0 - before.machine.0) / (after.machine.1 - before.machine.1).max(1.0);
    let number = times.len() as f64;
    json!({
        "iterations": times.len(),
        "seconds": round(seconds),
        "per_second": round(number / seconds),
        "p50_ms": at(0.5).copied().map(round),
        "p99_ms": at(0.99).copied().map(round),
        "cpu_ms": (number > 0.0).then(|| round(cpu_ms / number)),
        "memory_mb": round(after.servers.memory_mb),
        "machine_busy": round(busy),
        "failures": failures.len(),
        "first_failure": failures.first(),
    })
}

/// Rounds to four decimals.
fn round(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}
