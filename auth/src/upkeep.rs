//! Background work of a replica: rotates the signing keys and cleans up the tables.
//! Every replica does all of it; where one is enough, the database decides which.

mod retention;

use std::{future::Future, time::Duration};

use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use crate::{config::RELOAD, state::AppState};

/// From one clean-up to the next.
const CLEAN_UP: Duration = Duration::from_secs(600);

/// Starts all of it. It stops when what is returned is dropped.
pub fn start(state: &AppState) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let keys = state.clone();
    let tables = state.clone();
    let reload = Duration::from_secs(RELOAD.unsigned_abs());
    tasks.spawn(every(reload, move || keep_keys(keys.clone())));
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
