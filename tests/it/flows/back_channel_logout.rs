//! Clients are told that a session has ended (OpenID Connect Back-Channel Logout 1.0).

use auth::back_channel_logout::deliver_due;
use serde_json::{Value, json};
use tests::{
    people::browser::Browser,
    programs::client::{Client, REDIRECT_URI, http, with},
    servers::document_server::{Document, DocumentServer},
    stack::{Engine, Stack, access_token},
};

/// A client that wants to be told, and the ID token of a person who is signed in.
async fn setting(stack: &Stack, server: &DocumentServer, browser: &mut Browser) -> Value {
    let uri = server.at("/logout");
    let options =
        ["--redirect-uri", REDIRECT_URI, "--auth-method", "none", "--backchannel-logout-uri", &uri];
    let client = Client::pre_registered(stack, &options).await;
    let request = with(client.authorize_parameters(), "scope", "openid mcp:tools");
    let page = client.reach_consent(browser, &client.authorize_url(&request)).await;
    let page = browser.press(&page, "decision", "allow").await;
    let code = page.query("code").unwrap();
    let tokens = client.post("/token", &client.code_form(&code)).await;
    access_token::claims(tokens.text("id_token"))
}

async fn sign_out(stack: &Stack, browser: &mut Browser) {
    let page = browser.open(&stack.at("/")).await;
    browser.send_form(&page, "/sign-out").await;
}

fn received(server: &DocumentServer) -> String {
    let body = server.last_body("/logout");
    body.strip_prefix("logout_token=").unwrap().to_owned()
}

#[tokio::test]
async fn a_client_hears_of_the_end_of_its_session_on_either_engine() {
    for engine in Engine::ALL {
        let stack = Stack::on(engine).await;
        let mut browser = Browser::default();
        let server = DocumentServer::start().await;
        server.put("/logout", Document::status(200));
        let id_token = setting(&stack, &server, &mut browser).await;
        deliver_due(&stack.state).await.unwrap();
        assert_eq!(server.hits("/logout"), 0, "nothing has ended yet");
        sign_out(&stack, &mut browser).await;
        deliver_until(&stack, &server, 1).await;

        let token = received(&server);
        let claims = access_token::claims(&token);
        assert_eq!(claims["sid"], id_token["sid"]);
        assert_eq!(claims["sub"], id_token["sub"]);
        assert_eq!(claims["aud"], id_token["aud"]);
        assert_eq!(claims["iss"], json!(stack.issuer));
        let event = "http://schemas.openid.net/event/backchannel-logout";
        assert_eq!(claims["events"], json!({event: {}}));
        assert!(claims.get("nonce").is_none());
        let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert!((1..=120).contains(&lifetime));
        assert!(is_signed_by(&stack, &token).await);

        deliver_due(&stack.state).await.unwrap();
        assert_eq!(server.hits("/logout"), 1, "delivered once is enough");
    }
}

#[tokio::test]
async fn a_message_that_was_not_taken_is_tried_again_and_given_up_in_the_end() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let server = DocumentServer::start().await;
    server.put("/logout", Document::status(503));
    setting(&stack, &server, &mut browser).await;
    sign_out(&stack, &mut browser).await;
    deliver_until(&stack, &server, 1).await;
    let first = access_token::claims(&received(&server));
    deliver_due(&stack.state).await.unwrap();
    assert_eq!(server.hits("/logout"), 1, "not before its time");
    for attempt in 2..=6 {
        stack.advance(21_600);
        deliver_until(&stack, &server, attempt).await;
    }
    let last = access_token::claims(&received(&server));
    assert_eq!(first["jti"], last["jti"]);
    assert!(last["exp"].as_i64() > first["exp"].as_i64(), "signed again for each try");
    stack.advance(1_000_000);
    deliver_due(&stack.state).await.unwrap();
    assert_eq!(server.hits("/logout"), 6);
}

#[tokio::test]
async fn several_replicas_deliver_a_message_once_on_the_postgresql_engine() {
    let stack = Stack::on(Engine::Postgres).await;
    let mut browser = Browser::default();
    let server = DocumentServer::start().await;
    server.put("/logout", Document::status(200));
    setting(&stack, &server, &mut browser).await;
    sign_out(&stack, &mut browser).await;
    let deliveries = (0..8).map(|_| deliver_due(&stack.state));
    for outcome in futures::future::join_all(deliveries).await {
        outcome.unwrap();
    }
    deliver_until(&stack, &server, 1).await;
    assert_eq!(server.hits("/logout"), 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_a_logout_token() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let server = DocumentServer::start().await;
    let elsewhere = Document::status(307).with("location", &server.at("/elsewhere"));
    server.put("/logout", elsewhere);
    setting(&stack, &server, &mut browser).await;
    sign_out(&stack, &mut browser).await;
    deliver_until(&stack, &server, 1).await;
    assert_eq!(server.hits("/elsewhere"), 0);
}

#[tokio::test]
async fn signing_in_again_as_the_same_user_ends_no_session() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let server = DocumentServer::start().await;
    server.put("/logout", Document::status(200));
    setting(&stack, &server, &mut browser).await;
    let again = browser.open(&stack.at("/sign-in")).await;
    let page = browser.send_form(&again, "/sign-in/github").await;
    browser.press(&page, "user", "nick-lucas").await;
    deliver_due(&stack.state).await.unwrap();
    assert_eq!(server.hits("/logout"), 0);
    // Another user in the same browser ends it.
    let page = browser.send_form(&again, "/sign-in/github").await;
    browser.press(&page, "user", "ada-park").await;
    deliver_until(&stack, &server, 1).await;
}

/// The server itself delivers too, so a message may be on its way when this looks.
async fn deliver_until(stack: &Stack, server: &DocumentServer, hits: usize) {
    let arrived = async {
        while server.hits("/logout") < hits {
            deliver_due(&stack.state).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let limit = std::time::Duration::from_secs(10);
    tokio::time::timeout(limit, arrived).await.unwrap();
    assert_eq!(server.hits("/logout"), hits);
}

async fn is_signed_by(stack: &Stack, token: &str) -> bool {
    let keys = http().get(stack.at("/jwks")).send().await.unwrap().bytes().await.unwrap();
    let keys = keys::PublishedKeys::from_json(&keys).unwrap();
    keys.verify::<Value>(token, |typ| typ == Some("logout+jwt")).is_ok()
}
