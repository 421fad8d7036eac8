//! What is over is removed, in batches; what still counts stays.

use std::{collections::BTreeSet, fs};

use auth::storage::{
    Database, grants, logout_deliveries,
    retention::{KEPT, Table, forget},
    revocations, signing_keys, single_use,
};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel, Statement};
use tests::{
    people::browser::Browser,
    programs::client::Client,
    stack::{Engine, Stack},
};

const DAY: i64 = 86_400;

/// One batch, once the clean-up that the stack starts with has ended.
async fn batch(db: &Database, table: Table, now: i64) -> (u64, bool) {
    loop {
        if let Some(removed) = forget(db, table, now).await.unwrap() {
            return removed;
        }
        tokio::task::yield_now().await;
    }
}

async fn clean_up(stack: &Stack, now: i64) -> Vec<(Table, u64)> {
    let mut removed = Vec::new();
    for table in Table::ALL {
        loop {
            let (count, more) = batch(&stack.state.db, table, now).await;
            if count > 0 {
                removed.push((table, count));
            }
            if !more {
                break;
            }
        }
    }
    removed
}

#[tokio::test]
async fn what_counts_stays_and_what_is_over_goes_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let client = Client::register(&stack).await;
        let tokens = client.obtain_tokens(&mut Browser::default()).await;
        let now = stack.state.clock.now();
        assert_eq!(clean_up(&stack, now).await, [], "{engine:?}");
        assert_eq!(client.refresh(tokens.text("refresh_token")).await.status, 200, "{engine:?}");

        let mut removed = clean_up(&stack, now + 2 * DAY).await;
        // Whatever counted once on the way is over as well, and so is the latest heartbeat.
        removed.retain(|(table, _)| !matches!(table, Table::SingleUse | Table::Replicas));
        let expected = [(Table::Sessions, 1), (Table::AuthorizationCodes, 1)];
        assert_eq!(removed, expected, "{engine:?}");
        let removed = clean_up(&stack, now + 400 * DAY).await;
        assert!(removed.contains(&(Table::Grants, 1)), "{engine:?}: {removed:?}");
        assert!(!signing_keys::all(stack.state.db.connection()).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_revoked_grant_goes_after_thirty_days_and_its_revocation_after_three() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    let form = [("token", tokens.text("refresh_token").into()), ("client_id", client.id.clone())];
    client.post("/revoke", &form).await;
    let db = stack.state.db.connection();
    let now = stack.state.clock.now();
    let id = revocations::after(db, 0, 0, 0, 10).await.unwrap()[0].id.parse().unwrap();
    clean_up(&stack, now + 3 * DAY - 60).await;
    assert_eq!(revocations::after(db, 0, 0, 0, 10).await.unwrap().len(), 1);
    clean_up(&stack, now + 3 * DAY + 1).await;
    assert!(revocations::after(db, 0, 0, 0, 10).await.unwrap().is_empty());
    assert_eq!(revocations::latest(db).await.unwrap(), 1, "versions go back");
    assert!(grants::find(db, id).await.unwrap().is_some());
    clean_up(&stack, now + 30 * DAY + 1).await;
    assert!(grants::find(db, id).await.unwrap().is_none());
}

#[tokio::test]
async fn many_rows_go_in_batches_and_replicas_share_the_work_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        // Over only for us: the stack's own clean-up keeps to its clock.
        let over = stack.state.clock.now() + 3600;
        for number in 0..1100 {
            let value = number.to_string();
            single_use::remember(stack.state.db.connection(), "test", &value, over).await.unwrap();
        }
        let one = batch(&stack.state.db, Table::SingleUse, over).await;
        assert_eq!(one, (500, true), "{engine:?}");
        let (some, others) = futures::join!(clean_up(&stack, over), clean_up(&stack, over));
        let all = some.iter().chain(&others);
        let of_values = all.filter(|(table, _)| *table == Table::SingleUse);
        let total: u64 = of_values.map(|(_, count)| count).sum();
        assert_eq!(total, 600, "{engine:?}");
    }
}

/// The tables of the schema, and of each its columns.
pub(crate) async fn schema(db: &Database) -> Vec<(String, Vec<String>)> {
    let sql = "SELECT m.name AS t, c.name AS c FROM sqlite_master m, pragma_table_info(m.name) c \
               WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'seaql_migrations'";
    let rows = db.connection().query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await;
    let mut tables: Vec<(String, Vec<String>)> = Vec::new();
    for row in rows.unwrap() {
        let table = row.try_get("", "t").unwrap();
        let column = row.try_get("", "c").unwrap();
        match tables.iter_mut().find(|(known, _)| *known == table) {
            Some((_, columns)) => columns.push(column),
            None => tables.push((table, vec![column])),
        }
    }
    tables
}

#[tokio::test]
async fn every_table_has_an_end_to_its_rows_or_a_reason_for_none_and_the_documentation_says_it() {
    let stack = Stack::start().await;
    let tables: BTreeSet<String> =
        schema(&stack.state.db).await.into_iter().map(|(table, _)| table).collect();
    let ends = Table::ALL.iter().map(|table| table.as_str());
    let known: BTreeSet<String> =
        ends.chain(KEPT.iter().map(|(table, _)| *table)).map(str::to_owned).collect();
    assert_eq!(tables, known, "name each table in auth/src/storage/retention.rs");
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reliability.md");
    let file = fs::read_to_string(file).unwrap();
    let chapter = file.split("## How long rows are kept").nth(1).unwrap();
    let rows = chapter.split("\n## ").next().unwrap().lines();
    let listed: BTreeSet<String> = rows
        .filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned()))
        .collect();
    assert_eq!(listed, known, "name each table in docs/reliability.md");
}

#[tokio::test]
async fn a_logout_message_that_nobody_came_to_deliver_goes_a_day_after_it_was_due_on_either_engine()
{
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let db = &stack.state.db;
        let now = stack.state.clock.now();
        // Due for us alone: the stack delivers by its own clock.
        let message = |attempts, due_at| logout_deliveries::Model {
            id: uuid::Uuid::now_v7(),
            client_id: "client".into(),
            uri: "http://localhost:1/".into(),
            user_id: uuid::Uuid::nil(),
            session_id: uuid::Uuid::nil(),
            attempts,
            due_at,
        };
        for (attempts, due_at) in [(2, now + DAY), (0, now + DAY), (1, now + 3 * DAY)] {
            let row = message(attempts, due_at).into_active_model();
            logout_deliveries::Entity::insert(row).exec(db.connection()).await.unwrap();
        }
        let early = batch(db, Table::LogoutDeliveries, now + 2 * DAY - 1).await;
        assert_eq!(early, (0, false), "{engine:?}");
        let removed = batch(db, Table::LogoutDeliveries, now + 2 * DAY).await;
        assert_eq!(removed, (1, false), "{engine:?}");
    }
}

/// What is sealed under a master secret that was taken away is lost, so whatever is stored sealed
/// must be sealed again. Signing keys are, and nothing else is stored so.
#[tokio::test]
async fn nothing_but_signing_keys_is_stored_sealed() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    client.refresh(tokens.text("refresh_token")).await;
    client.post("/par", &client.authorize_parameters()).await;
    let mut sealed = BTreeSet::new();
    for (table, columns) in schema(&stack.state.db).await {
        for column in columns {
            // A compact JWE that is encrypted directly: its second part of five is empty.
            let sql = format!("SELECT 1 AS found FROM {table} WHERE {column} LIKE 'eyJ%..%.%.%'");
            let query = Statement::from_string(DbBackend::Sqlite, sql);
            if stack.state.db.connection().query_one_raw(query).await.unwrap().is_some() {
                sealed.insert(format!("{table}.{column}"));
            }
        }
    }
    assert_eq!(sealed, ["signing_keys.sealed_private_jwk".to_owned()].into());
}
