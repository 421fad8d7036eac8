//! What rests on the database holds on either engine: SQLite and PostgreSQL.

use std::collections::HashSet;

use auth::{
    oauth::refresh_token::RefreshToken,
    storage::{Database, grants, sessions, signing_keys},
};
use futures::future::{join, join_all};
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::{Value, json};
use tests::{
    people::browser::Browser,
    programs::{
        client::{Answer, Client, REDIRECT_URI, http, with},
        mcp_client::{Wire, call, text},
        operator,
    },
    stack::{Engine, Stack, postgres},
};
use uuid::Uuid;

const GRACE: i64 = 120;

async fn with_tokens(engine: Engine) -> (Stack, Client, Answer) {
    let stack = Stack::on(engine).await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    (stack, client, tokens)
}

async fn is_live(stack: &Stack, tokens: &Answer) -> bool {
    let request = http().get(stack.at("/userinfo")).bearer_auth(tokens.text("access_token"));
    Answer::of(request).await.status == 200
}

#[tokio::test]
async fn a_person_signs_in_and_is_greeted_on_either_engine() {
    for engine in Engine::ALL {
        let (stack, _client, tokens) = with_tokens(engine).await;
        let token = tokens.text("access_token");
        let message = json!({"message": "ping pong"});
        let answer = call(&stack.resource, Wire::V2026, token, "echo", message).await;
        assert_eq!(text(&answer), "Hello Nick Lucas: ping pong", "{engine:?}: {}", answer.json);
    }
}

#[tokio::test]
async fn a_code_has_one_winner_and_its_replay_takes_back_what_it_gave_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let client = Client::register(&stack).await;
        let form = client.code_form(&client.obtain_code(&mut Browser::default()).await);
        let answers = join_all((0..32).map(|_| client.post("/token", &form))).await;
        let winners: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(winners.len(), 1, "{engine:?}");
        let refreshed = client.refresh(winners[0].text("refresh_token")).await;
        assert_eq!(refreshed.text("error"), "invalid_grant", "{engine:?}");
        assert!(!is_live(&stack, winners[0]).await, "{engine:?}");
    }
}

#[tokio::test]
async fn simultaneous_refreshes_get_one_successor_on_either_engine() {
    for engine in Engine::ALL {
        let (stack, client, tokens) = with_tokens(engine).await;
        let first = tokens.text("refresh_token");
        let answers = join_all((0..32).map(|_| client.refresh(first))).await;
        for answer in &answers {
            assert_eq!(answer.status, 200, "{engine:?}: {}", answer.json);
            assert_eq!(answer.text("refresh_token"), answers[0].text("refresh_token"));
            assert!(is_live(&stack, answer).await, "{engine:?}");
        }
    }
}

/// The answer to a rotation says whose it was, and one that comes too late takes nothing back.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_all_who_rotate_one_refresh_token_one_does_on_either_engine() {
    for engine in Engine::ALL {
        let (stack, client, tokens) = with_tokens(engine).await;
        let db = stack.state.db.connection();
        let now = stack.state.clock.now();
        let authenticator = &stack.state.seals.refresh_token;
        let first = RefreshToken::parse(tokens.text("refresh_token"), authenticator).unwrap();
        let second = first.successor(authenticator);
        let grant = grants::find(db, first.grant_id()).await.unwrap().unwrap();
        let family = grant.family().unwrap().rotated(&second, now, GRACE);
        let rotation =
            grants::Rotation { presented_hash: first.hash(), family, expires_at: now + 600 };
        let rotate = async || grants::rotate(db, grant.id, rotation.clone(), now).await.unwrap();
        let winners = join_all((0..64).map(|_| rotate())).await;
        assert_eq!(winners.into_iter().filter(|won| *won).count(), 1, "{engine:?}");

        let third = client.refresh(&second.expose(authenticator)).await;
        assert!(!rotate().await, "{engine:?}: a generation came back");
        let fourth = client.refresh(third.text("refresh_token")).await;
        assert_eq!(fourth.status, 200, "{engine:?}: {}", fourth.json);
    }
}

#[tokio::test]
async fn a_late_replay_ends_one_family_and_no_other_on_either_engine() {
    for engine in Engine::ALL {
        let (stack, client, tokens) = with_tokens(engine).await;
        let other = client.obtain_tokens(&mut Browser::default()).await;
        let second = client.refresh(tokens.text("refresh_token")).await;
        stack.advance(GRACE);
        let replay = client.refresh(tokens.text("refresh_token")).await;
        assert_eq!(replay.text("error"), "invalid_grant", "{engine:?}");
        assert!(!is_live(&stack, &second).await, "{engine:?}");
        assert_eq!(client.refresh(other.text("refresh_token")).await.status, 200, "{engine:?}");
    }
}

#[tokio::test]
async fn revoking_a_refresh_token_ends_its_grant_on_either_engine() {
    for engine in Engine::ALL {
        let (stack, client, tokens) = with_tokens(engine).await;
        let form =
            [("token", tokens.text("refresh_token").into()), ("client_id", client.id.clone())];
        assert_eq!(client.post("/revoke", &form).await.status, 200, "{engine:?}");
        assert!(!is_live(&stack, &tokens).await, "{engine:?}");
    }
}

/// Each revocation waits for the one before it, and none for a row that a later one holds.
#[tokio::test]
async fn an_account_is_deleted_while_its_programs_sign_out_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let mut browser = Browser::default();
        let client = Client::register(&stack).await;
        let mut forms = Vec::new();
        for _ in 0..12 {
            let tokens = client.obtain_tokens(&mut browser).await;
            let token = tokens.text("refresh_token").to_owned();
            forms.push([("token", token), ("client_id", client.id.clone())]);
        }
        let page = browser.open(&stack.at("/account/delete")).await;
        let sure = [("csrf", &*page.hidden("csrf")), ("sure", "yes")];
        let place = stack.at("/account/delete");
        let revoked = join_all(forms.iter().map(|form| client.post("/revoke", form)));
        let (gone, revoked) = join(browser.post(&place, &sure), revoked).await;
        assert_eq!(gone.status, 200, "{engine:?}: {}", gone.text());
        for answer in revoked {
            assert_eq!(answer.status, 200, "{engine:?}: {}", answer.json);
        }
    }
}

#[tokio::test]
async fn two_first_sign_ins_at_once_create_one_user_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let mut sign_ins_under_way = Vec::new();
        for _ in 0..8 {
            let mut browser = Browser::default();
            let page = browser.open(&stack.at("/sign-in?continue=/account/export")).await;
            sign_ins_under_way.push((browser.send_form(&page, "/sign-in/github").await, browser));
        }
        // So that none of them waits for a connection to the database.
        let db = stack.state.db.connection();
        join_all((0..16).map(|_| db.execute_unprepared("SELECT 1"))).await;
        let sign_ins =
            sign_ins_under_way.iter_mut().map(|(page, b)| b.press(page, "user", "nick-lucas"));
        let mut subjects = HashSet::new();
        for page in join_all(sign_ins).await {
            assert_eq!(page.status, 200, "{engine:?}: {}", page.text());
            let export: Value = serde_json::from_str(&page.html).unwrap();
            subjects.insert(export["sub"].to_string());
        }
        assert_eq!(subjects.len(), 1, "{engine:?}: {subjects:?}");
    }
}

#[tokio::test]
async fn an_operator_s_client_signs_in_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let redirect = ["--redirect-uri", REDIRECT_URI, "--auth-method", "none"];
        let client = Client::pre_registered(&stack, &redirect).await;
        client.obtain_tokens(&mut Browser::default()).await;
        let removed = operator::run(&stack, &["clients", "remove", &client.id]).await;
        assert_eq!(removed.code, 0, "{engine:?}: {}", removed.stderr);
    }
}

/// PostgreSQL takes no text with a zero byte, so none may come so far.
#[tokio::test]
async fn a_zero_byte_is_refused_as_a_mistake_of_the_client_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let mut browser = Browser::default();
        let client = Client::register(&stack).await;
        let strange = ["\0", "a\0b"].map(|id| Client::known_as(&stack, id, None));
        for unknown in &strange {
            let answer = unknown.post("/token", &unknown.code_form("x")).await;
            assert_eq!(answer.status, 401, "{engine:?}: {}", answer.json);
            let url = client.authorize_url(&unknown.authorize_parameters());
            assert_eq!(browser.open(&url).await.status, 400, "{engine:?}");
        }
        let request = with(client.authorize_parameters(), "nonce", "a\0b");
        let page = browser.open(&client.authorize_url(&request)).await;
        assert_eq!(page.query("error").as_deref(), Some("invalid_request"), "{engine:?}");
    }
}

/// Replicas of a first start come up together, on an empty database.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_replicas_may_bring_one_schema_up_to_date_at_once_on_either_engine() {
    let file = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite://{}/auth.db", file.path().display());
    for url in [sqlite, postgres::database().await] {
        let starts = (0..4).map(|_| {
            let url = url.clone();
            tokio::spawn(async move { Database::open(&url).await })
        });
        for started in join_all(starts).await {
            let db = started.unwrap().unwrap_or_else(|error| panic!("{url}: {error}"));
            assert!(signing_keys::all(db.connection()).await.unwrap().is_empty());
        }
    }
}

#[tokio::test]
async fn one_browser_too_many_signs_out_the_least_recently_used_of_the_same_person_on_either_engine()
 {
    for engine in Engine::ALL {
        let (stack, client, _) = with_tokens(engine).await;
        let mut first = Browser::default();
        client.obtain_code(&mut first).await;
        let db = stack.state.db.connection();
        let now = stack.state.clock.now();
        let user = sessions::Entity::find().one(db).await.unwrap().unwrap().user_id;
        let session = |number: i64| sessions::Model {
            token_hash: format!("hash-{number}"),
            user_id: user,
            authenticated_at: now,
            expires_at: now + 1000,
            id: Uuid::now_v7(),
            device: String::new(),
            network: String::new(),
            last_seen_at: now + number,
        };
        // Two are signed in already.
        for number in 1..=98 {
            sessions::open(db, session(number)).await.unwrap();
        }
        let live = async || sessions::of_user(db, user, now).await.unwrap();
        assert_eq!(live().await.len(), 100, "{engine:?}");
        for number in 99..=101 {
            sessions::open(db, session(number)).await.unwrap();
        }
        let live = live().await;
        assert_eq!(live.len(), 100, "{engine:?}");
        assert_eq!(live.last().unwrap().token_hash, "hash-2", "{engine:?}");
        let account = first.open(&stack.at("/account")).await;
        assert_eq!(account.url.path(), "/sign-in", "{engine:?}");
    }
}
