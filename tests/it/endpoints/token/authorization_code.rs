//! `grant_type=authorization_code`

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use tests::{
    people::browser::Browser,
    programs::client::{Client, with, without},
    stack::Stack,
};

async fn with_code() -> (Stack, Client, String) {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let code = client.obtain_code(&mut Browser::default()).await;
    (stack, client, code)
}

fn decoded(token: &str, part: usize) -> Value {
    let part = token.split('.').nth(part).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn the_access_token_is_an_rfc_9068_jwt_with_the_claims_of_its_scopes() {
    let (stack, client, code) = with_code().await;
    let answer = client.post("/token", &client.code_form(&code)).await;
    assert_eq!(answer.text("token_type"), "Bearer");
    assert_eq!(answer.json["expires_in"], 900);
    assert_eq!(answer.headers["cache-control"], "no-store");

    let header = decoded(answer.text("access_token"), 0);
    let claims = decoded(answer.text("access_token"), 1);
    assert_eq!((header["typ"].as_str(), header["alg"].as_str()), (Some("at+jwt"), Some("ES256")));
    assert_eq!(claims["iss"], stack.issuer.as_str());
    assert_eq!(claims["aud"], stack.resource.as_str());
    assert_eq!(claims["client_id"], client.id.as_str());
    assert_eq!(claims["scope"], "mcp:tools profile email");
    assert_eq!(claims["name"], "Nick Lucas");
    assert_eq!(claims["preferred_username"], "nick-lucas");
    assert_eq!(claims["email"], "nick-lucas@example.com");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 900);
    assert!(claims["jti"].is_string() && claims["auth_time"].is_i64());
}

#[tokio::test]
async fn claims_are_revealed_by_their_scopes_only() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let answer = client.obtain_tokens_for("mcp:tools").await;
    let claims = decoded(answer.text("access_token"), 1);
    for name in ["name", "preferred_username", "picture", "email", "email_verified"] {
        assert_eq!(claims.get(name), None, "{name}");
    }
}

#[tokio::test]
async fn an_id_token_comes_with_openid_and_echoes_the_nonce() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let mut browser = Browser::default();
    let request = with(client.authorize_parameters(), "scope", "openid profile mcp:tools");
    let url = client.authorize_url(&with(request, "nonce", "the-nonce"));
    let page = client.reach_consent(&mut browser, &url).await;
    let page = browser.press(&page, "decision", "allow").await;
    let answer = client.post("/token", &client.code_form(&page.query("code").unwrap())).await;
    let claims = decoded(answer.text("id_token"), 1);
    assert_eq!(
        (claims["nonce"].as_str(), claims["name"].as_str()),
        (Some("the-nonce"), Some("Nick Lucas"))
    );
    assert_eq!(claims["aud"], client.id.as_str());
    let mcp = decoded(answer.text("id_token"), 0);
    assert_ne!(mcp["typ"], "at+jwt");
}

#[tokio::test]
async fn a_code_is_redeemed_once_and_a_replay_takes_back_what_it_gave() {
    let (_stack, client, code) = with_code().await;
    let tokens = client.post("/token", &client.code_form(&code)).await;
    let replay = client.post("/token", &client.code_form(&code)).await;
    assert_eq!((replay.status.as_u16(), replay.text("error")), (400, "invalid_grant"));
    let refreshed = client.refresh(tokens.text("refresh_token")).await;
    assert_eq!(refreshed.text("error"), "invalid_grant");
}

#[tokio::test]
async fn of_many_simultaneous_redeemers_one_wins() {
    let (_stack, client, code) = with_code().await;
    let form = client.code_form(&code);
    let answers = futures::future::join_all((0..32).map(|_| client.post("/token", &form))).await;
    let winners = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(winners, 1);
}

#[tokio::test]
async fn an_expired_code_is_refused() {
    let (stack, client, code) = with_code().await;
    stack.advance(60);
    let answer = client.post("/token", &client.code_form(&code)).await;
    assert_eq!(answer.text("error"), "invalid_grant");
}

#[tokio::test]
async fn a_wrong_request_is_refused_and_leaves_the_code_usable() {
    let (_stack, client, code) = with_code().await;
    for (name, value, error) in [
        ("code_verifier", "another-verifier-of-sufficient-length-0123456789", "invalid_grant"),
        ("code_verifier", "short", "invalid_request"),
        ("redirect_uri", "http://127.0.0.1:1/other", "invalid_grant"),
        ("resource", "https://evil.test/mcp", "invalid_target"),
        ("code", "pcc_unknown", "invalid_grant"),
    ] {
        let answer = client.post("/token", &with(client.code_form(&code), name, value)).await;
        assert_eq!((answer.status.as_u16(), answer.text("error")), (400, error), "{name}");
        assert!(!answer.text("error_description").is_empty());
    }
    let answer = client.post("/token", &without(client.code_form(&code), "code_verifier")).await;
    assert_eq!(answer.text("error"), "invalid_request");
    assert_eq!(client.post("/token", &client.code_form(&code)).await.status, 200);
}

#[tokio::test]
async fn a_code_of_another_client_looks_unknown() {
    let (stack, client, code) = with_code().await;
    let thief = Client::register_as(&stack, serde_json::json!({"client_name": "Thief"})).await;
    let stolen = thief.post("/token", &thief.code_form(&code)).await;
    let unknown = thief.post("/token", &thief.code_form("pcc_unknown")).await;
    assert_eq!(stolen.json, unknown.json);
    // Whatever else is wrong with the request.
    for (name, value) in [
        ("resource", "https://evil.test/mcp"),
        ("redirect_uri", "https://evil.test/callback"),
        ("code_verifier", "another-verifier-of-sufficient-length-0123456789"),
    ] {
        let form = |code: &str| with(thief.code_form(code), name, value);
        let stolen = thief.post("/token", &form(&code)).await;
        let unknown = thief.post("/token", &form("pcc_unknown")).await;
        assert_eq!(stolen.json, unknown.json, "{name}");
    }
    assert_eq!(client.post("/token", &client.code_form(&code)).await.status, 200);
}

#[tokio::test]
async fn a_code_of_an_account_that_was_deleted_meanwhile_is_worth_nothing() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let client = Client::register(&stack).await;
    let code = client.obtain_code(&mut browser).await;
    browser.delete_account(&stack.issuer).await;
    let answer = client.post("/token", &client.code_form(&code)).await;
    assert_eq!((answer.status.as_u16(), answer.text("error")), (400, "invalid_grant"));
}
