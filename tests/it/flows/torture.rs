//! The short form of `make torture`.

use std::{sync::atomic::Ordering, time::Duration};

use tests::{
    stack::Engine,
    torture::{
        crashes, full_disk, model, races, report, rotation, secrets, seeded::Seeded,
        small_disk::Failure,
    },
};

fn seed() -> u64 {
    let seed = Seeded::fresh_seed();
    report(&format!("seed {seed}"));
    seed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn random_interleavings_of_grants_agree_with_the_model_on_either_engine() {
    for engine in Engine::ALL {
        let seen = model::run(engine, 150, seed()).await;
        assert!(seen["tokens"] > 0 && seen["refused"] > 0, "{seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_redeemers_of_a_code_one_wins_on_either_engine() {
    for engine in Engine::ALL {
        races::redeem_codes(engine, races::Size { rounds: 5, callers: 64 }).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_callers_with_a_refresh_token_all_go_on_in_one_lineage_on_either_engine() {
    for engine in Engine::ALL {
        races::refresh(engine, races::Size { rounds: 5, callers: 64 }).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_killed_server_loses_no_grant_and_issues_nothing_twice_on_either_engine() {
    for engine in Engine::ALL {
        let figures = crashes::run(engine, 3, seed()).await;
        assert!(figures.refreshes.load(Ordering::Relaxed) > 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_acknowledged_between_failing_writes_is_there_after_a_restart() {
    let figures = full_disk::run(Failure::FileTooLarge, 3, seed()).await;
    assert!(figures.refused > 0 && figures.kept > 0, "{figures:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_verification_fails_while_keys_rotate_on_the_postgresql_engine() {
    let figures = rotation::run(Engine::Postgres, 3, Duration::ZERO).await;
    assert!(figures.keys.load(Ordering::Relaxed) >= 3, "{figures:?}");
}

/// For five seconds one replica knows the new secret and the other does not; within a minute after
/// that, both seal with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_refused_while_a_new_master_secret_is_rolled_over_two_replicas() {
    let roll = secrets::Roll {
        apart: Duration::from_secs(5),
        settle: Duration::from_secs(65),
        bottom_first: false,
    };
    let figures = secrets::run(&[roll]).await;
    assert!(figures.refreshes.load(Ordering::Relaxed) > 0, "{figures:?}");
}
