//! Background work of a replica: rotates the signing keys, cleans up the tables, and asks upstreams again.
//! Every replica does all of it; where one is enough, the database decides which.

mod retention;

use std::{future::Future, time::Duration};

use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use crate::{config::RELOAD, recheck, state::AppState, upstream::Upstream};

/// From one clean-up to the next.
const CLEAN_UP: Duration = Duration::from_secs(600);
/// From one look for people who are to be asked about to the next. With the second in which verifiers read
/// the deny list, a leaver is refused two seconds after the interval of the settings.
const RECHECK_INTERVAL: Duration = Duration::from_millis(500);

/// Starts all of it. It stops when what is returned is dropped.
pub fn start(state: &AppState) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let keys = state.clone();
    let tables = state.clone();
    let reload = Duration::from_secs(RELOAD.unsigned_abs());
    tasks.spawn(every(reload, move || keep_keys(keys.clone())));
    tasks.spawn(recheck::apply_policy(state.clone()));
    if state.access.recheck.interval > 0 && state.upstreams.iter().any(Upstream::is_asked_again) {
        let people = state.clone();
        tasks.spawn(every(RECHECK_INTERVAL, move || recheck::turn(people.clone())));
    }
    tasks.spawn(every(CLEAN_UP, move || retention::clean_up(tables.clone())));
    tasks
}

async fn every<F: Future<Output = ()>>(period: Duration, turn: impl Fn() -> F) {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        turn().await;
    }
}

/// A failure is no end: the keys at hand stay in use, and the next turn tries again.
async fn keep_keys(state: AppState) {
    if let Err(error) = state.keys.keep(&state.db, state.clock.now()).await {
        tracing::error!(cause = %error, "the signing keys cannot be looked after");
    }
}
