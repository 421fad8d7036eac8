//! `GET /revocations`

use auth::storage::{Database, grants};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tests::{
    people::browser::Browser,
    programs::{
        client::{Answer, Client, http},
        operator,
    },
    stack::{Stack, config_file},
};

/// Seconds that an access token lives, and the time that an entry stays on top.
const LISTED_FOR: i64 = 900 + 60;

async fn list(stack: &Stack, query: &str) -> Answer {
    Answer::of(http().get(stack.at(&format!("/revocations{query}")))).await
}

/// Signs in, revokes, and gives the grant of the token.
async fn revoke_one(client: &Client) -> String {
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    let refresh_token = tokens.text("refresh_token").to_owned();
    let form = [("token", refresh_token), ("client_id", client.id.clone())];
    assert_eq!(client.post("/revoke", &form).await.status, 200);
    grant_of(&tokens)
}

fn grant_of(tokens: &Answer) -> String {
    let token = tokens.text("access_token");
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["jti"].as_str().unwrap().split('.').next().unwrap().to_owned()
}

#[tokio::test]
async fn it_is_empty_until_something_is_revoked_and_the_metadata_names_it() {
    let stack = Stack::start().await;
    assert_eq!(list(&stack, "").await.json, json!({"version": 0, "revoked": []}));
    let metadata = http().get(stack.at("/.well-known/oauth-authorization-server"));
    let metadata = Answer::of(metadata).await;
    assert_eq!(metadata.text("revocations_endpoint"), stack.at("/revocations"));
}

#[tokio::test]
async fn it_names_a_revoked_grant_for_as_long_as_a_token_of_it_may_live() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let grant = revoke_one(&client).await;
    let answer = list(&stack, "").await;
    assert_eq!(
        (&answer.json["version"], &answer.json["revoked"][0]["id"]),
        (&1.into(), &grant.into())
    );
    let until = answer.json["revoked"][0]["until"].as_i64().unwrap();
    assert!((0..=2).contains(&(stack.state.clock.now() + LISTED_FOR - until)), "{until}");
    stack.advance(LISTED_FOR);
    assert_eq!(list(&stack, "").await.json, json!({"version": 1, "revoked": []}));
}

#[tokio::test]
async fn a_reader_gets_what_came_after_and_304_when_nothing_did() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    revoke_one(&client).await;
    let second = revoke_one(&client).await;
    let news = list(&stack, "?after=1").await;
    assert_eq!(news.json["revoked"].as_array().unwrap().len(), 1);
    assert_eq!(news.json["revoked"][0]["id"], second.as_str());
    let tag = news.headers["etag"].clone();
    let again = http().get(stack.at("/revocations?after=2")).header("if-none-match", tag);
    assert_eq!(Answer::of(again).await.status, 304);
    assert_eq!(list(&stack, "?after=2").await.json, json!({"version": 2, "revoked": []}));
}

#[tokio::test]
async fn a_reader_of_another_database_gets_the_whole_list() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    revoke_one(&client).await;
    let answer = list(&stack, "?after=700").await;
    assert_eq!(
        (&answer.json["version"], answer.json["revoked"].as_array().unwrap().len()),
        (&1.into(), 1)
    );
    for query in ["?after=-1", "?after=x", "?after=1&after=2"] {
        assert_eq!(list(&stack, query).await.text("error"), "invalid_request", "{query}");
    }
}

/// Verifiers, which ask every second, must refuse within two.
#[tokio::test]
async fn what_another_replica_revokes_is_listed_although_queries_are_shared() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    let grant = grant_of(&tokens);
    let ask = || http().get(stack.at("/revocations")).header("if-none-match", "\"0\"");
    assert_eq!(Answer::of(ask()).await.status, 304);
    let url = stack.state.config.database.database_url.expose_secret();
    let other = Database::open(url).await.unwrap();
    let now = stack.state.clock.now();
    grants::revoke(other.connection(), grant.parse().unwrap(), now).await.unwrap();
    // The stack's clock does not tick. So many requests take longer than a query is shared.
    for _ in 0..1000 {
        let answer = Answer::of(ask()).await;
        if answer.status == 200 {
            assert_eq!(answer.json["revoked"][0]["id"], grant);
            return;
        }
    }
    panic!("the revocation is not listed");
}

#[tokio::test]
async fn revoking_twice_lists_once() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    let refresh =
        [("token", tokens.text("refresh_token").into()), ("client_id", client.id.clone())];
    for _ in 0..2 {
        assert_eq!(client.post("/revoke", &refresh).await.status, 200);
    }
    assert_eq!(list(&stack, "").await.json["version"], 1);
}

#[tokio::test]
async fn a_withdrawn_key_is_listed_until_no_verifier_holds_it_however_short_tokens_live() {
    let stack = Stack::start().await;
    let kid = stack.state.keys.current(stack.state.clock.now()).unwrap().kid().to_owned();
    operator::carry_out(&stack, &["keys", "rotate", "--emergency"]).await.unwrap();
    assert_eq!(list(&stack, "").await.json["revoked"][0]["id"], format!("kid:{kid}"));
    stack.advance(2 * 86_400);
    assert_eq!(list(&stack, "").await.json["revoked"][0]["id"], format!("kid:{kid}"));
    stack.advance(90);
    assert_eq!(list(&stack, "").await.json, json!({"version": 1, "revoked": []}));
}

#[tokio::test]
async fn an_entry_stays_for_the_longest_life_of_any_resources_tokens() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("portcullis.toml");
    let resource = |name: &str, lifetime: i64| {
        json!({"resource": format!("http://localhost:9/{name}"), "name": name,
            "access_token_lifetime": lifetime,
            "scopes": [{"name": "mcp:tools", "description": "Use the tools"}]})
    };
    let resources = json!({"resources": [resource("short", 60), resource("long", 7200)]});
    let options = config_file::write(&file, &resources);
    let options = options.each_ref().map(String::as_str);
    let mut stack = Stack::start_with(&options, &[]).await;
    stack.audience = "http://localhost:9/short".into();
    let client = Client::register(&stack).await;
    revoke_one(&client).await;
    stack.advance(7200);
    assert_eq!(list(&stack, "").await.json["revoked"].as_array().unwrap().len(), 1);
    stack.advance(90);
    assert_eq!(list(&stack, "").await.json["revoked"], json!([]));
}
