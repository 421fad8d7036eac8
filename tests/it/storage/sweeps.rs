//! The clean-up works for one replica at a time, stops with its server, and no table keeps it from
//! the others.

use std::{process::Stdio, time::Duration};

use auth::{
    storage::{
        Database, attempts,
        retention::{SWEEP_LOCK, Table, forget},
    },
    upkeep,
};
use sea_orm::{ConnectionTrait, EntityTrait, Statement, TransactionTrait};
use tests::{
    programs::process::{free_port, send_signal},
    stack::{Engine, Stack, auth_options, postgres, program, write_secret},
};
use tokio::{process::Command, task::yield_now, time::timeout};

async fn number(db: &impl ConnectionTrait, sql: &str) -> i64 {
    let query = Statement::from_string(db.get_database_backend(), sql);
    db.query_one_raw(query).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

/// Asks again and again, for ten seconds at most.
async fn until(db: &impl ConnectionTrait, sql: &str, wanted: i64) {
    let asked = async {
        while number(db, sql).await != wanted {
            yield_now().await;
        }
    };
    let found = timeout(Duration::from_secs(10), asked).await;
    assert!(found.is_ok(), "not yet: {sql}");
}

#[tokio::test]
async fn one_replica_cleans_up_at_a_time_on_the_postgresql_engine() {
    let url = postgres::database().await;
    let db = Database::open(&url).await.unwrap();
    let other = sea_orm::Database::connect(&url).await.unwrap();
    let transaction = other.begin().await.unwrap();
    let lock = format!("SELECT pg_advisory_xact_lock({SWEEP_LOCK})");
    transaction.execute_unprepared(&lock).await.unwrap();
    assert_eq!(forget(&db, Table::Sessions, 0).await.unwrap(), None);
    transaction.commit().await.unwrap();
    assert_eq!(forget(&db, Table::Sessions, 0).await.unwrap(), Some((0, false)));
}

#[tokio::test]
async fn a_table_that_cannot_be_cleaned_up_keeps_no_other_from_it_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let db = stack.state.db.connection();
        let allowance = attempts::Allowance { most: 9, span: 60 };
        attempts::count(db, ("a", "b"), allowance, 0).await.unwrap();
        // The first of all tables.
        db.execute_unprepared("ALTER TABLE sessions RENAME TO gone").await.unwrap();
        let _upkeep = upkeep::start(&stack.state);
        until(db, "SELECT COUNT(*) FROM attempts", 0).await;
        assert_eq!(attempts::Entity::find().all(db).await.unwrap(), [], "{engine:?}");
    }
}

#[tokio::test]
async fn a_clean_up_under_way_ends_with_its_server_on_the_postgresql_engine() {
    let url = postgres::database().await;
    Database::open(&url).await.unwrap();
    let db = sea_orm::Database::connect(&url).await.unwrap();
    let transaction = db.begin().await.unwrap();
    transaction.execute_unprepared("LOCK TABLE attempts IN ACCESS EXCLUSIVE MODE").await.unwrap();

    let data = tempfile::tempdir().unwrap();
    write_secret(&data.path().join("secret"));
    let port = free_port().await;
    let issuer = format!("http://localhost:{port}");
    let mut options =
        auth_options(data.path(), &issuer, "http://localhost:1", "http://localhost:1/mcp");
    let at = options.iter().position(|option| option == "--database-url").unwrap();
    options[at + 1].clone_from(&url);
    let mut server = Command::new(program("auth"))
        .args(&options[1..])
        .args(["--listen", &format!("127.0.0.1:{port}")])
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let waiting = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
                   AND wait_event_type = 'Lock'";
    until(&db, waiting, 1).await;
    send_signal(&server, "-TERM").await;
    let ended = timeout(Duration::from_secs(5), server.wait()).await;
    assert!(ended.expect("it goes on").unwrap().success());
    // Sooner than the statement's own limit.
    let gone = timeout(Duration::from_secs(5), until(&db, waiting, 0)).await;
    gone.expect("the statement outlives its server");
}

#[tokio::test]
async fn a_statement_has_a_limit_that_the_url_may_change_on_the_postgresql_engine() {
    let url = postgres::database().await;
    for (url, limit) in
        [(url.clone(), "10s"), (format!("{url}&options=-c%20statement_timeout%3D200ms"), "200ms")]
    {
        let db = Database::open(&url).await.unwrap();
        let query = Statement::from_string(sea_orm::DbBackend::Postgres, "SHOW statement_timeout");
        let row = db.connection().query_one_raw(query).await.unwrap().unwrap();
        assert_eq!(row.try_get_by_index::<String>(0).unwrap(), limit);
        if limit == "200ms" {
            let slow = db
                .connection()
                .execute_unprepared("SELECT COUNT(*) FROM generate_series(1, 1000000000)")
                .await;
            assert!(slow.unwrap_err().to_string().contains("statement timeout"));
        }
    }
}
