//! No statement reads a whole table, neither of requests nor of the clean-up: on PostgreSQL with
//! 250,000 grants and by what its planner then chooses, on SQLite by what its planner always does.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use auth::storage::{
    Connection, Database, Pool, attempts, authorization_codes, consents, device_codes, grants,
    identities, logout_deliveries, opaque_tokens, registrations, replicas,
    retention::{Table, forget_batch},
    revocations, security_events, sessions, single_use, users,
};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde_json::Value;
use tests::stack::postgres;
use uuid::Uuid;

/// A moment of the rows below.
const NOW: i64 = 1_800_000_000;
/// What an operator enters, and what there are a few of.
const SMALL: [&str; 4] = ["clients", "counters", "replicas", "signing_keys"];
/// The most that a statement may cost, in pages that PostgreSQL reads. To read all grants costs more
/// than 7,000, and a batch of 500 rows about 2,000.
const MAX_COST: f64 = 5000.0;

/// Rows of each table, `n` from 1 on, with keys as long as hashes are. Whatever ends has ended for one in a hundred.
const ROWS: [(&str, u32, &str); 15] = [
    ("counters", 1, "SELECT 'revocations', 100000"),
    (
        "users",
        100_000,
        "SELECT id_of(n), 'N', 'n', NULL, 'n@example.com', true, '{}', NULL, NOW, NOW",
    ),
    ("identities", 100_000, "SELECT 'github', n::text, id_of(n), NOW, NULL, until(n)"),
    (
        "sessions",
        100_000,
        "SELECT key_of(n), id_of(n % 20000), NOW, until(n), id_of(n), '', '', NOW",
    ),
    (
        "grants",
        250_000,
        "SELECT id_of(n), id_of(n % 20000), 'client ' || n % 1000, 'Client', 'https://r.test', 's', \
         NOW, NOW, until(n), NULL, key_of(n), n % 2, until(n), '', NULL, id_of(n % 60000), until(n)",
    ),
    ("consents", 100_000, "SELECT id_of(n), id_of(n % 20000), 'https://c.test/', '', ''"),
    (
        "authorization_codes",
        100_000,
        "SELECT key_of(n), id_of(n), 'client', 'https://c.test/', 'c', NULL, until(n), NULL, NULL",
    ),
    (
        "device_codes",
        100_000,
        "SELECT key_of(n), 'u' || n, 'client', 'https://r.test', 's', '', NOW, until(n), 5, NOW, \
         NULL, NULL, NULL",
    ),
    ("opaque_tokens", 200_000, "SELECT until(n), key_of(n), '{}'"),
    ("revocations", 100_000, "SELECT n, id_of(n)::text, until(n) - 1000"),
    (
        "security_events",
        100_000,
        "SELECT id_of(n), id_of(n % 20000), 'signed_in', 'GitHub', '', '', '', '', until(n)",
    ),
    ("registrations", 100_000, "SELECT key_of(n), '{}', n % 100 <> 0, NOW"),
    ("single_use", 200_000, "SELECT key_of(n), until(n)"),
    (
        "logout_deliveries",
        100_000,
        "SELECT id_of(n), 'client', 'https://c.test/', id_of(n), id_of(n), 1, until(n)",
    ),
    ("attempts", 200_000, "SELECT key_of(n), until(n)"),
];

async fn fill(db: &impl ConnectionTrait) {
    let functions = format!(
        "CREATE FUNCTION id_of(n bigint) RETURNS uuid IMMUTABLE LANGUAGE sql AS \
         $$ SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$; \
         CREATE FUNCTION key_of(n bigint) RETURNS text IMMUTABLE LANGUAGE sql AS \
         $$ SELECT lpad(n::text, 43, 'h') $$; \
         CREATE FUNCTION until(n bigint) RETURNS bigint IMMUTABLE LANGUAGE sql AS \
         $$ SELECT CASE WHEN n % 100 = 0 THEN {NOW} - 400 * 86400 ELSE {NOW} + n END $$"
    );
    db.execute_unprepared(&functions).await.unwrap();
    for (table, number, row) in ROWS {
        let row = row.replace("NOW", &NOW.to_string());
        let insert = format!("INSERT INTO {table} {row} FROM generate_series(1, {number}) AS n");
        db.execute_unprepared(&insert).await.unwrap();
    }
    db.execute_unprepared("ANALYZE").await.unwrap();
}

fn uuid(n: u64) -> Uuid {
    format!("00000000-0000-7000-8000-{n:012x}").parse().unwrap()
}

/// What requests ask of the tables that grow.
async fn requests(db: &Pool) {
    let user = uuid(77);
    let text = &*format!("{:h>43}", 77);
    attempts::count(db, ("a", "b"), attempts::Allowance { most: 9, span: 60 }, NOW).await.unwrap();
    authorization_codes::find(db, text).await.unwrap();
    authorization_codes::redeem(db, text, NOW).await.unwrap();
    consents::find(db, user).await.unwrap();
    consents::of_user(db, user).await.unwrap();
    device_codes::find(db, text).await.unwrap();
    device_codes::find_waiting(db, "u77", NOW).await.unwrap();
    device_codes::answer(db, text, None, NOW).await.unwrap();
    device_codes::note_poll(db, text, 5, NOW).await.unwrap();
    device_codes::redeem(db, text, NOW).await.unwrap();
    let first = grants::FirstToken { hash: "h".into(), key_thumbprint: None, expires_at: NOW };
    grants::begin_family(db, user, first).await.unwrap();
    grants::find(db, user).await.unwrap();
    grants::of_user(db, user, NOW).await.unwrap();
    grants::of_user_and_client(db, user, "client 77", NOW).await.unwrap();
    grants::clients_of_session(db, user).await.unwrap();
    grants::any_of_client(db, "client 77").await.unwrap();
    let found = grants::find_with_user(db, user, Some(text)).await.unwrap();
    let new = found.map_or_else(|| grant(user), |found| found.grant);
    grants::forget_superseded(db, &new, None, NOW, NOW).await.unwrap();
    grants::revoke(db, user, NOW).await.unwrap();
    grants::revoke_of_user(db, user, NOW).await.unwrap();
    grants::revoke_of_client(db, "client 77", NOW).await.unwrap();
    identities::find(db, "github", "77").await.unwrap();
    identities::of_user(db, user).await.unwrap();
    identities::hold_of_user(db, user).await.unwrap();
    let due = identities::due(db, NOW, 100).await.unwrap();
    identities::take(db, &due.first().cloned().unwrap_or_else(|| identity(user)), NOW)
        .await
        .unwrap();
    logout_deliveries::take_due(db, NOW, |_| 1).await.unwrap();
    opaque_tokens::find(db, text).await.unwrap();
    registrations::find(db, user).await.unwrap();
    registrations::note_use(db, user).await.unwrap();
    registrations::unused(db).await.unwrap();
    revocations::after(db, 50_000, NOW - 2000, NOW - 2000, 1000).await.unwrap();
    revocations::is_listed(db, text).await.unwrap();
    security_events::of_user(db, user, 100).await.unwrap();
    sessions::find(db, text, NOW).await.unwrap();
    sessions::of_user(db, user, NOW).await.unwrap();
    sessions::touch(db, text, NOW).await.unwrap();
    sessions::close_of_user(db, user, user).await.unwrap();
    sessions::close_others_of_user(db, user, user).await.unwrap();
    single_use::remember(db, "a", "b", NOW + 60).await.unwrap();
    users::find(db, user).await.unwrap();
    replicas::live(db, NOW).await.unwrap();
    forget_person(db, uuid(78)).await;
}

/// An identity of SQLite's empty table.
fn identity(user_id: Uuid) -> identities::Model {
    identities::Model::new("github", "77", user_id, NOW)
}

/// A grant of SQLite's empty table.
fn grant(id: Uuid) -> grants::Model {
    grants::Model {
        id,
        user_id: id,
        client_id: "client 77".into(),
        client_name: String::new(),
        resource: "https://r.test".into(),
        scope: String::new(),
        authenticated_at: NOW,
        created_at: NOW,
        expires_at: NOW,
        revoked_at: None,
        refresh_token_hash: None,
        refresh_generation: 0,
        refresh_expires_at: NOW,
        rotations: String::new(),
        key_thumbprint: None,
        session_id: None,
        review_at: NOW,
    }
}

async fn forget_person(db: &impl Connection, user: Uuid) {
    sessions::close_all_of_user(db, user).await.unwrap();
    security_events::forget_user(db, user).await.unwrap();
    consents::forget_user(db, user).await.unwrap();
    identities::forget_user(db, user).await.unwrap();
    users::forget(db, user).await.unwrap();
}

/// Everything that requests and the clean-up say to the database, each statement once.
async fn statements(url: &str) -> (DatabaseConnection, Vec<Statement>) {
    let mut db = sea_orm::Database::connect(url).await.unwrap();
    let seen: Arc<Mutex<Vec<Statement>>> = Arc::default();
    let heard = seen.clone();
    db.set_metric_callback(move |info| heard.lock().unwrap().push(info.statement.clone()));
    requests(&Pool::from(db.clone())).await;
    for table in Table::ALL {
        let (removed, _) = forget_batch(&db, table, NOW).await.unwrap();
        let is_filled = ROWS.iter().any(|(name, ..)| *name == table.as_str());
        let is_postgres = db.get_database_backend() == DbBackend::Postgres;
        assert_eq!(removed > 0, is_filled && is_postgres, "{}", table.as_str());
    }
    let mut known = BTreeSet::new();
    let mut statements = std::mem::take(&mut *seen.lock().unwrap());
    statements.retain(|one| {
        let is_query = ["SELECT", "UPDATE", "DELETE"].iter().any(|word| one.sql.starts_with(word));
        is_query && known.insert(one.sql.clone())
    });
    assert!(statements.len() > 50, "the statements were not heard: {}", statements.len());
    (db, statements)
}

async fn explained(
    db: &DatabaseConnection,
    how: &str,
    statement: &Statement,
) -> Vec<sea_orm::QueryResult> {
    let explain = Statement { sql: format!("{how} {}", statement.sql), ..statement.clone() };
    let plan = db.query_all_raw(explain).await;
    plan.map_err(|error| format!("{}: {error}", statement.sql)).unwrap()
}

/// Every step of a plan that reads a table from one end to the other.
fn scans(plan: &Value) -> Vec<String> {
    let own = plan["Node Type"]
        .as_str()
        .filter(|kind| *kind == "Seq Scan")
        .map(|_| plan["Relation Name"].as_str().unwrap_or_default().to_owned());
    let below = plan["Plans"].as_array().into_iter().flatten().flat_map(scans);
    own.into_iter().chain(below).filter(|table| !SMALL.contains(&&**table)).collect()
}

#[tokio::test]
async fn with_250_000_grants_the_postgresql_engine_reads_no_table_from_one_end_to_the_other() {
    let url = postgres::database().await;
    let db = Database::open(&url).await.unwrap();
    let transaction = db.begin().await.unwrap();
    transaction.execute_unprepared("SET LOCAL statement_timeout = 0").await.unwrap();
    fill(&transaction).await;
    transaction.commit().await.unwrap();
    let (db, statements) = statements(&url).await;
    let mut dear = Vec::new();
    for statement in statements {
        let rows = explained(&db, "EXPLAIN (FORMAT JSON)", &statement).await;
        let plan: Value = rows[0].try_get_by_index(0).unwrap();
        let plan = &plan[0]["Plan"];
        let scans = scans(plan);
        let cost = plan["Total Cost"].as_f64().unwrap();
        if !scans.is_empty() || cost > MAX_COST {
            dear.push(format!("reads all of {scans:?}, costs {cost}: {}", statement.sql));
        }
    }
    assert!(dear.is_empty(), "{dear:#?}");
}

#[tokio::test]
async fn sqlite_reads_no_table_from_one_end_to_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("auth.db").display());
    Database::open(&url).await.unwrap();
    let (db, statements) = statements(&url).await;
    for statement in statements {
        for row in explained(&db, "EXPLAIN QUERY PLAN", &statement).await {
            let step: String = row.try_get("", "detail").unwrap();
            let table = step.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
            let is_small = |table: &str| SMALL.contains(&table) || table == "CONSTANT";
            assert!(table.is_none_or(is_small), "{step}: {}", statement.sql);
        }
    }
}
