//! `GET /ready`

use auth::storage::counters;
use reqwest::StatusCode;
use sea_orm::ConnectionTrait;
use tests::{
    programs::client::http,
    stack::{Engine, Stack},
};

#[tokio::test]
async fn readiness_follows_whether_the_database_can_be_written() {
    let stack = Stack::start().await;
    let status = async |path: &str| http().get(stack.at(path)).send().await.unwrap().status();
    let change = async |schema: &str| {
        stack.state.db.connection().execute_unprepared(schema).await.unwrap();
        stack.advance(2);
    };
    assert_eq!(status("/ready").await, 200);
    change(
        "CREATE TRIGGER full BEFORE INSERT ON counters \
         BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END",
    )
    .await;
    assert_eq!(
        (status("/ready").await, status("/health").await),
        (StatusCode::SERVICE_UNAVAILABLE, StatusCode::OK)
    );
    change("DROP TRIGGER full").await;
    assert_eq!(status("/ready").await, 200);
}

#[tokio::test]
async fn asking_for_readiness_again_and_again_costs_one_write_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let db = stack.state.db.connection();
        for _ in 0..20 {
            assert_eq!(http().get(stack.at("/ready")).send().await.unwrap().status(), 200);
        }
        let writes = counters::read(db, "readiness").await.unwrap();
        assert!((1..10).contains(&writes), "{engine:?}: {writes} writes");
    }
}
