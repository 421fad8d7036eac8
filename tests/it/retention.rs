//! What is over is removed, in batches; what still counts stays.

use auth::storage::{
    grants,
    retention::{Table, forget},
    revocations, signing_keys, single_use,
};
use tests::{
    browser::Browser,
    client::Client,
    stack::{Engine, Stack},
};

const DAY: i64 = 86_400;

async fn clean_up(stack: &Stack, now: i64) -> Vec<(Table, u64)> {
    let mut removed = Vec::new();
    for table in Table::ALL {
        loop {
            let (count, more) = forget(&stack.state.db, table, now).await.unwrap();
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
        // Whatever counted once on the way is over as well.
        removed.retain(|(table, _)| *table != Table::SingleUse);
        let expected = [(Table::Sessions, 1), (Table::AuthorizationCodes, 1)];
        assert_eq!(removed, expected, "{engine:?}");
        let removed = clean_up(&stack, now + 400 * DAY).await;
        assert!(removed.contains(&(Table::Grants, 1)), "{engine:?}: {removed:?}");
        assert!(!signing_keys::all(stack.state.db.connection()).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_revoked_grant_goes_after_thirty_days_and_its_revocation_after_one() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    let form = [("token", tokens.text("refresh_token").into()), ("client_id", client.id.clone())];
    client.post("/revoke", &form).await;
    let (db, now) = (stack.state.db.connection(), stack.state.clock.now());
    let id = revocations::after(db, 0, 0, 10).await.unwrap()[0].id.parse().unwrap();
    clean_up(&stack, now + DAY + 1).await;
    assert!(revocations::after(db, 0, 0, 10).await.unwrap().is_empty());
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
        let one = forget(&stack.state.db, Table::SingleUse, over).await.unwrap();
        assert_eq!(one, (500, true), "{engine:?}");
        let (some, others) = futures::join!(clean_up(&stack, over), clean_up(&stack, over));
        let total: u64 = some.iter().chain(&others).map(|(_, count)| count).sum();
        assert_eq!(total, 600, "{engine:?}");
    }
}
