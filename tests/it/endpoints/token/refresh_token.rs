//! `grant_type=refresh_token`

use tests::{
    people::browser::Browser,
    programs::client::{Answer, Client, http, with},
    stack::{Engine, Stack},
};

const GRACE: i64 = 120;

async fn with_refresh_token() -> (Stack, Client, String) {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    (stack, client, tokens.text("refresh_token").to_owned())
}

async fn is_live(stack: &Stack, answer: &Answer) -> bool {
    let request = http().get(stack.at("/userinfo")).bearer_auth(answer.text("access_token"));
    Answer::of(request).await.status == 200
}

fn next(answer: &Answer) -> &str {
    assert_eq!(answer.status, 200, "{}", answer.json);
    answer.text("refresh_token")
}

#[tokio::test]
async fn every_use_rotates() {
    let (_stack, client, first) = with_refresh_token().await;
    let second = client.refresh(&first).await;
    assert_ne!(next(&second), first);
    let third = client.refresh(next(&second)).await;
    assert_ne!(next(&third), next(&second));
}

#[tokio::test]
async fn a_repeated_token_gets_the_same_successor_and_every_access_token_stays_live() {
    let (stack, client, first) = with_refresh_token().await;
    let winner = client.refresh(&first).await;
    stack.advance(GRACE - 5);
    let repeated = client.refresh(&first).await;
    assert_eq!(next(&repeated), next(&winner));
    assert!(is_live(&stack, &winner).await && is_live(&stack, &repeated).await);
    assert_eq!(client.refresh(next(&winner)).await.status, 200);
}

#[tokio::test]
async fn many_simultaneous_refreshes_all_get_working_tokens_of_one_lineage() {
    let (stack, client, first) = with_refresh_token().await;
    let answers = futures::future::join_all((0..16).map(|_| client.refresh(&first))).await;
    for answer in &answers {
        assert_eq!(next(answer), next(&answers[0]));
        assert!(is_live(&stack, answer).await);
    }
}

#[tokio::test]
async fn once_the_successor_is_used_a_repeated_token_is_refused_without_revoking() {
    let (_stack, client, first) = with_refresh_token().await;
    let second = client.refresh(&first).await;
    let third = client.refresh(next(&second)).await;
    assert_eq!(client.refresh(&first).await.text("error"), "invalid_grant");
    assert_eq!(client.refresh(next(&third)).await.status, 200);
}

#[tokio::test]
async fn a_replay_after_the_grace_revokes_the_family_and_no_other() {
    let (stack, client, first) = with_refresh_token().await;
    let other = client.obtain_tokens(&mut Browser::default()).await;
    let second = client.refresh(&first).await;
    stack.advance(GRACE + 1);
    assert_eq!(client.refresh(&first).await.text("error"), "invalid_grant");
    assert_eq!(client.refresh(next(&second)).await.text("error"), "invalid_grant");
    assert!(!is_live(&stack, &second).await);
    assert_eq!(client.refresh(other.text("refresh_token")).await.status, 200);
}

#[tokio::test]
async fn another_client_cannot_use_it_and_does_no_harm() {
    let (stack, client, first) = with_refresh_token().await;
    let thief = Client::register_as(&stack, serde_json::json!({"client_name": "Thief"})).await;
    assert_eq!(thief.refresh(&first).await.text("error"), "invalid_grant");
    assert_eq!(client.refresh(&first).await.status, 200);
}

#[tokio::test]
async fn scope_can_shrink_for_one_token_and_never_grow() {
    let (_stack, client, first) = with_refresh_token().await;
    let form = |token: &str, scope: &str| {
        vec![
            ("grant_type", "refresh_token".to_owned()),
            ("client_id", client.id.clone()),
            ("refresh_token", token.to_owned()),
            ("scope", scope.to_owned()),
        ]
    };
    let wider = client.post("/token", &form(&first, "mcp:tools openid")).await;
    assert_eq!(wider.text("error"), "invalid_scope");
    let narrow = client.post("/token", &form(&first, "mcp:tools")).await;
    assert_eq!(narrow.text("scope"), "mcp:tools");
    let full = client.refresh(next(&narrow)).await;
    assert_eq!(full.text("scope"), "mcp:tools profile email");
}

#[tokio::test]
async fn another_resource_is_an_invalid_target_and_nothing_is_used_up() {
    let (_stack, client, first) = with_refresh_token().await;
    let form = [
        ("grant_type", "refresh_token".to_owned()),
        ("client_id", client.id.clone()),
        ("refresh_token", first.clone()),
        ("resource", "https://evil.test/mcp".to_owned()),
    ];
    assert_eq!(client.post("/token", &form).await.text("error"), "invalid_target");
    assert_eq!(client.refresh(&first).await.status, 200);
}

#[tokio::test]
async fn it_dies_of_idleness_and_of_old_age() {
    let (stack, client, first) = with_refresh_token().await;
    stack.advance(30 * 86_400);
    assert_eq!(client.refresh(&first).await.text("error"), "invalid_grant");

    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    let mut token = tokens.text("refresh_token").to_owned();
    for _ in 0..8 {
        stack.advance(20 * 86_400);
        token = next(&client.refresh(&token).await).to_owned();
    }
    stack.advance(20 * 86_400);
    assert_eq!(client.refresh(&token).await.text("error"), "invalid_grant");
}

#[tokio::test]
async fn forged_tokens_are_refused() {
    let (_stack, client, first) = with_refresh_token().await;
    let mut forged = first.clone().into_bytes();
    forged[20] = if forged[20] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).unwrap();
    for token in [forged.as_str(), "pcr_", "x", "pcc_x"] {
        assert_eq!(client.refresh(token).await.text("error"), "invalid_grant");
    }
    assert_eq!(client.refresh(&first).await.status, 200);
}

#[tokio::test]
async fn a_client_that_repeats_what_was_not_allowed_gets_what_was_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let client = Client::register(&stack).await;
        let asked = "mcp:tools profile email unknown";
        let request = with(client.authorize_parameters(), "scope", asked);
        let mut browser = Browser::default();
        let page = client.reach_consent(&mut browser, &client.authorize_url(&request)).await;
        let page =
            browser.press_after(&page, ("decision", "allow"), &[("scope", "email", false)]).await;
        let code = client.code_form(&page.query("code").unwrap());
        let mut answer = client.post("/token", &code).await;
        assert_eq!(answer.text("scope"), "mcp:tools profile");
        let refresh = async |token: &str, scope: &str| {
            let form = [
                ("grant_type", "refresh_token".to_owned()),
                ("client_id", client.id.clone()),
                ("refresh_token", token.to_owned()),
                ("scope", scope.to_owned()),
            ];
            client.post("/token", &form).await
        };
        // Again and again, as a client does that keeps its first request.
        for _ in 0..3 {
            answer = refresh(next(&answer), asked).await;
            assert_eq!(answer.status, 200, "{engine:?}: {}", answer.json);
            assert_eq!(answer.text("scope"), "mcp:tools profile", "{engine:?}");
        }
        for wider in ["mcp:tools notes:write", "email", "email unknown", "openid"] {
            let refused = refresh(next(&answer), wider).await;
            assert_eq!(refused.text("error"), "invalid_scope", "{engine:?}: {wider}");
        }
    }
}
