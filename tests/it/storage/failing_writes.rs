//! What comes of writes that fail: nothing is acknowledged that is not stored, and the next write
//! succeeds. A trigger makes writes of one table fail, in either of the ways in which they do on a
//! full disk.

use auth::storage::{Begin, Pool, clients, counters, single_use};
use futures::future::join_all;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde_json::json;
use tests::{
    people::browser::{Browser, Page},
    programs::client::{Answer, Client, http},
    stack::{Engine, Stack},
};
use tokio::{select, task::yield_now};

use crate::{endpoints::device_authorization, storage::retention::schema};

/// How a write fails.
#[derive(Clone, Copy, Debug)]
enum Failure {
    /// The statement fails, and SQLite rolls the whole transaction back by itself.
    Statement,
    /// The statement succeeds, and its commit fails.
    Commit,
}

const VERBS: [&str; 3] = ["INSERT", "UPDATE", "DELETE"];

/// The database file as another connection sees it: only what is committed.
async fn onlooker(stack: &Stack) -> DatabaseConnection {
    let file = stack.directory().join("auth.db");
    let onlooker =
        sea_orm::Database::connect(format!("sqlite://{}", file.display())).await.unwrap();
    let parents = "CREATE TABLE parents (id INTEGER PRIMARY KEY)";
    let orphans = "CREATE TABLE orphans (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)";
    for statement in [parents, orphans] {
        onlooker.execute_unprepared(statement).await.unwrap();
    }
    onlooker
}

async fn break_writes(onlooker: &DatabaseConnection, failure: Failure, table: &str, verb: &str) {
    let effect = match failure {
        Failure::Statement => "SELECT RAISE(ROLLBACK, 'disk full')",
        Failure::Commit => "INSERT INTO orphans VALUES (1)",
    };
    let trigger = format!("CREATE TRIGGER failing AFTER {verb} ON {table} BEGIN {effect}; END");
    onlooker.execute_unprepared(&trigger).await.unwrap();
}

async fn mend_writes(onlooker: &DatabaseConnection) {
    onlooker.execute_unprepared("DROP TRIGGER failing").await.unwrap();
}

async fn count(onlooker: &DatabaseConnection, condition: &str) -> i64 {
    let query = format!("SELECT COUNT(*) AS count FROM {condition}");
    let query = Statement::from_string(DbBackend::Sqlite, query);
    onlooker.query_one_raw(query).await.unwrap().unwrap().try_get("", "count").unwrap()
}

/// Goes on from page to page, unless the server is in trouble.
fn reached(page: Page) -> Option<Page> {
    let status = page.status.as_u16();
    assert!(status < 500 || status == 503, "{status} at {}: {}", page.url, page.text());
    (status != 503).then_some(page)
}

/// Sends a form, unless the server is in trouble.
async fn sent(client: &Client, path: &str, form: &[(&'static str, String)]) -> Option<Answer> {
    let answer = client.post(path, form).await;
    let status = answer.status.as_u16();
    assert!(status < 500 || status == 503, "{status} at {path}: {}", answer.json);
    (status == 200).then_some(answer)
}

/// Signs in, allows, exchanges, refreshes and revokes, as far as that goes.
async fn use_tokens(client: &Client, browser: &mut Browser) -> Option<()> {
    let url = client.authorize_url(&client.authorize_parameters());
    let page = reached(browser.open(&url).await)?;
    let page = reached(browser.send_form(&page, "/sign-in/github").await)?;
    let page = reached(browser.press(&page, "user", "nick-lucas").await)?;
    let page = reached(browser.press(&page, "decision", "allow").await)?;
    let tokens = sent(client, "/token", &client.code_form(&page.query("code")?)).await?;
    let refreshed = client.refresh(tokens.text("refresh_token")).await;
    let token = refreshed.text("refresh_token").to_owned();
    let form = [("token", token), ("client_id", client.id.clone())];
    sent(client, "/revoke", &form).await.map(|_| ())
}

/// Does the rest of what is stored: each is an answer, or an outage.
async fn use_everything(stack: &Stack, client: &Client, device: &Client) {
    let mut browser = Browser::default();
    let _ = use_tokens(client, &mut browser).await;
    sent(client, "/par", &client.authorize_parameters()).await;
    let request = device_authorization::valid_request(device, stack);
    sent(device, "/device_authorization", &request).await;
    let page = browser.open(&stack.at("/account")).await;
    if page.url.path() == "/account" && page.status == 200 {
        for action in ["/account/revoke", "/account/sessions", "/sign-out"] {
            let grant = page.hidden_all("grant").pop().unwrap_or_default();
            let form = [("csrf", &*page.hidden("csrf")), ("session", "others"), ("grant", &grant)];
            reached(browser.post(&stack.at(action), &form).await);
        }
    }
    register_and_delete(stack).await;
}

async fn register_and_delete(stack: &Stack) {
    let metadata = json!({"redirect_uris": ["http://127.0.0.1:1/callback"], "token_endpoint_auth_method": "none"});
    let client = Answer::of(http().post(stack.at("/register")).json(&metadata)).await;
    assert!(client.status == 201 || client.status == 503, "{}", client.json);
    let place = client.text("registration_client_uri");
    if !place.is_empty() {
        let request = http().delete(place).bearer_auth(client.text("registration_access_token"));
        let status = request.send().await.unwrap().status().as_u16();
        assert!([204, 429, 503].contains(&status), "{status}");
    }
}

#[tokio::test]
async fn after_a_write_that_failed_every_acknowledged_one_is_stored() {
    let options = ["--limit-failed-requests", "0", "--limit-registrations", "0"];
    let stack = Stack::start_with(&options, &[]).await;
    let tables = schema(&stack.state.db).await;
    let onlooker = onlooker(&stack).await;
    let client = Client::register(&stack).await;
    let device = device_authorization::register(&stack).await;
    let writes = tables.iter().flat_map(|(table, _)| VERBS.map(|verb| (table, verb)));
    // Either failure for every other of them, which halves the time.
    let failures = [Failure::Statement, Failure::Commit].into_iter().cycle();
    for ((table, verb), failure) in writes.zip(failures) {
        break_writes(&onlooker, failure, table, verb).await;
        use_everything(&stack, &client, &device).await;
        mend_writes(&onlooker).await;

        let grants = "grants";
        let ended = "grants WHERE revoked_at IS NOT NULL";
        let before = (count(&onlooker, grants).await, count(&onlooker, ended).await);
        let done = use_tokens(&client, &mut Browser::default()).await;
        let after = (count(&onlooker, grants).await, count(&onlooker, ended).await);
        assert!(done.is_some(), "{failure:?} of {verb} in {table}: no recovery");
        assert_eq!(after, (before.0 + 1, before.1 + 1), "{failure:?} of {verb} in {table}");
        // The limits of the next round are its own.
        stack.advance(60);
    }
}

/// sqlx takes an `INSERT … RETURNING` for done when it has its row, which is before the commit.
#[tokio::test]
async fn a_single_statement_whose_commit_fails_is_not_acknowledged() {
    let stack = Stack::start().await;
    let onlooker = onlooker(&stack).await;
    let client = Client::register(&stack).await;
    let mut browser = Browser::default();
    let url = client.authorize_url(&client.authorize_parameters());
    let page = client.reach_consent(&mut browser, &url).await;

    break_writes(&onlooker, Failure::Commit, "security_events", "INSERT").await;
    let denied = browser.press(&page, "decision", "deny").await;
    assert_eq!(denied.status, 503, "{}", denied.url);
    mend_writes(&onlooker).await;

    break_writes(&onlooker, Failure::Commit, "clients", "INSERT").await;
    let row = clients::Model { id: "lost".into(), ..clients::Model::default() };
    assert!(clients::add(stack.state.db.connection(), row).await.is_err());
    mend_writes(&onlooker).await;
    assert_eq!(count(&onlooker, "clients").await, 0);
}

/// PostgreSQL answers the COMMIT of an aborted transaction with a ROLLBACK and no error.
#[tokio::test]
async fn a_transaction_with_a_statement_that_failed_is_not_committed_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let db = &stack.state.db;
        let transaction = db.begin().await.unwrap();
        counters::raise(&transaction, "test", 1).await.unwrap();
        assert!(transaction.execute_unprepared("INSERT INTO nothing VALUES (1)").await.is_err());
        assert!(counters::raise(&transaction, "test", 1).await.is_err(), "{engine:?}");
        assert!(transaction.commit().await.is_err(), "{engine:?}");

        // The same in a transaction that is part of another.
        let transaction = db.begin().await.unwrap();
        counters::raise(&transaction, "test", 1).await.unwrap();
        let part = transaction.begin().await.unwrap();
        assert!(part.execute_unprepared("INSERT INTO nothing VALUES (1)").await.is_err());
        drop(part);
        assert!(transaction.commit().await.is_err(), "{engine:?}");
        assert_eq!(counters::read(db.connection(), "test").await.unwrap(), 0, "{engine:?}");
    }
}

/// A transaction that is given up after so many steps, as a request is whose client has gone.
async fn give_up(db: &Pool, steps: usize) {
    let work = async {
        let transaction = db.begin().await.unwrap();
        single_use::remember(&transaction, "given up", "x", i64::MAX).await.unwrap();
        transaction.commit().await.unwrap();
    };
    let patience = async {
        for _ in 0..steps {
            yield_now().await;
        }
    };
    select! {
        biased;
        () = work => {}
        () = patience => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_request_that_is_given_up_leaves_no_transaction_open_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let db = stack.state.db.connection();
        let onlooker = stack.state.config.database.open().await.unwrap();
        for round in 0..40_usize {
            join_all((0..10).map(|steps| give_up(db, steps * (round % 4 + 1)))).await;
            let values: Vec<String> = (0..20).map(|value| format!("{round} {value}")).collect();
            let remembered =
                values.iter().map(|value| single_use::remember(db, "kept", value, i64::MAX));
            for outcome in join_all(remembered).await {
                assert!(outcome.unwrap(), "{engine:?}");
            }
            for value in &values {
                let seen = single_use::remember(onlooker.connection(), "kept", value, i64::MAX);
                assert!(!seen.await.unwrap(), "{engine:?}, round {round}: {value} was not stored");
            }
        }
    }
}
