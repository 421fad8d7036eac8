//! Who signs in again and again leaves a bounded number of grants behind, and no installation loses
//! a refresh token that it may still use.

use auth::storage::grants;
use keys::{Algorithm, DpopRequest, SigningKey};
use sea_orm::EntityTrait;
use tests::{
    people::browser::Browser,
    programs::client::Client,
    stack::{Engine, Stack},
};

/// Longer than any access token of a grant lives after the consent.
const HALF_AN_HOUR: i64 = 1800;

async fn number(stack: &Stack) -> usize {
    grants::Entity::find().all(stack.state.db.connection()).await.unwrap().len()
}

#[tokio::test]
async fn who_signs_in_twenty_times_leaves_eleven_grants_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let client = Client::register(&stack).await;
        let mut browser = Browser::default();
        for sign_in in 1..=20 {
            let tokens = client.obtain_tokens(&mut browser).await;
            assert_eq!(number(&stack).await, sign_in.min(11), "{engine:?}");
            if sign_in == 20 {
                let answer = client.refresh(tokens.text("refresh_token")).await;
                assert_eq!(answer.status, 200, "{engine:?}: {}", answer.json);
            }
            stack.advance(HALF_AN_HOUR);
        }
        let left = auth::storage::consents::Entity::find().all(stack.state.db.connection()).await;
        assert_eq!(left.unwrap().len(), 11, "{engine:?}: consents stay behind");
    }
}

#[tokio::test]
async fn an_access_token_that_lives_keeps_its_grant() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let mut browser = Browser::default();
    for _ in 0..15 {
        client.obtain_tokens(&mut browser).await;
    }
    assert_eq!(number(&stack).await, 15);
}

/// The client_id of a metadata document is the same on every machine of a person.
#[tokio::test]
async fn an_idle_installation_keeps_its_refresh_token_while_nine_others_sign_in_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let client = Client::register(&stack).await;
        let idle = client.obtain_tokens(&mut Browser::default()).await;
        for _ in 0..9 {
            stack.advance(86_400);
            client.obtain_tokens(&mut Browser::default()).await;
        }
        stack.advance(10 * 86_400);
        let answer = client.refresh(idle.text("refresh_token")).await;
        assert_eq!(answer.status, 200, "{engine:?}: {}", answer.json);
    }
}

#[tokio::test]
async fn an_installation_that_has_refreshed_keeps_its_grant_whatever_others_do() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    let tokens = client.refresh(tokens.text("refresh_token")).await;
    let mut browser = Browser::default();
    for _ in 0..20 {
        stack.advance(HALF_AN_HOUR);
        client.obtain_tokens(&mut browser).await;
    }
    assert_eq!(client.refresh(tokens.text("refresh_token")).await.status, 200);
}

#[tokio::test]
async fn another_client_another_person_and_another_session_are_not_touched() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let other = Client::register(&stack).await;
    other.obtain_tokens(&mut Browser::default()).await;
    // Each browser is a session that lasts twelve hours, and its client is told when it ends.
    for _ in 0..14 {
        client.obtain_tokens(&mut Browser::default()).await;
        stack.advance(HALF_AN_HOUR);
    }
    assert_eq!(number(&stack).await, 15);
}

/// A key shows for certain that it is one installation.
#[tokio::test]
async fn an_installation_with_a_key_replaces_its_unused_grant_at_once() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let mut browser = Browser::default();
    for _ in 0..3 {
        let form = client.code_form(&client.obtain_code(&mut browser).await);
        let url = stack.at("/token");
        let now = stack.state.clock.now();
        let request =
            DpopRequest { method: "POST", url: &url, access_token: None, nonce: None, now };
        let proof = key.dpop_proof(&request).unwrap();
        let answer = client.post_with_proof("/token", &form, &proof).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        stack.advance(HALF_AN_HOUR);
    }
    assert_eq!(number(&stack).await, 1);
}
