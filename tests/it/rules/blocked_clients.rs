//! Clients that an operator blocks, however they are known: nothing new comes of them, and what they had
//! ends.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{
    people::browser::{Browser, Page},
    programs::{
        client::{Answer, Client, REDIRECT_URI},
        mcp_client::{Wire, call},
        operator,
    },
    servers::document_server::{Document, DocumentServer},
    stack::{Engine, Stack},
};

/// The promise.
const LIMIT: Duration = Duration::from_secs(2);
const PUBLIC: [&str; 4] = ["--redirect-uri", REDIRECT_URI, "--auth-method", "none"];

async fn asked(stack: &Stack, arguments: &[&str]) -> Value {
    let answer = operator::carry_out(stack, &[arguments, &["--json"]].concat()).await;
    serde_json::from_str(&answer.unwrap()).unwrap()
}

async fn status(stack: &Stack, token: &str) -> u16 {
    call(&stack.resource, Wire::V2026, token, "whoami", json!({})).await.status.as_u16()
}

async fn is_refused_in_time(stack: &Stack, token: &str) {
    let refused = async { while status(stack, token).await != 401 {} };
    tokio::time::timeout(LIMIT, refused).await.unwrap();
}

/// A client that is known by a document.
async fn documented(stack: &Stack, server: &DocumentServer) -> Client {
    let id = server.at("/client.json");
    let document = json!({"client_id": id, "client_name": "Documented",
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token"]});
    server.put("/client.json", Document::json(&document));
    Client::known_as(stack, &id, None)
}

/// What a client has that is in use: tokens, a code that was not redeemed, and an open consent page.
struct AtWork {
    tokens: Answer,
    code: String,
    consent: (Browser, Page),
}

impl AtWork {
    async fn new(stack: &Stack, client: &Client) -> Self {
        let url = client.authorize_url(&client.authorize_parameters());
        let mut browser = Browser::default();
        let page = client.reach_consent(&mut browser, &url).await;
        let tokens = client.obtain_tokens(&mut Browser::default()).await;
        assert_eq!(status(stack, tokens.text("access_token")).await, 200);
        let code = client.obtain_code(&mut Browser::default()).await;
        Self { tokens, code, consent: (browser, page) }
    }

    /// Everything that the client can try is refused, with what to do.
    async fn has_ended(self, stack: &Stack, client: &Client) {
        is_refused_in_time(stack, self.tokens.text("access_token")).await;
        let refresh = client.refresh(self.tokens.text("refresh_token")).await;
        let redeemed = client.post("/token", &client.code_form(&self.code)).await;
        for answer in [refresh, redeemed] {
            assert_eq!((answer.status.as_u16(), answer.text("error")), (400, "access_denied"));
            assert!(answer.text("error_description").contains("blocked"), "{}", answer.json);
        }
        assert_eq!(client.user_info(self.tokens.text("access_token")).await.status, 401);
        let (mut browser, page) = self.consent;
        let page = browser.press(&page, "decision", "allow").await;
        assert!(page.query("code").is_none() && page.text().contains("client_blocked"));
        let url = client.authorize_url(&client.authorize_parameters());
        let page = Browser::default().open(&url).await;
        assert_eq!(page.status, 403, "{}", page.text());
        assert!(page.text().contains("client_blocked"), "{}", page.text());
    }
}

#[tokio::test]
async fn a_blocked_client_gets_nothing_more_and_what_it_had_ends_on_either_engine() {
    for engine in Engine::ALL {
        let on_loopback = ["--insecure-metadata-documents-on-loopback", "true"];
        let stack = Stack::on_with(engine, &on_loopback).await;
        let server = DocumentServer::start().await;
        let other = Client::register(&stack).await;
        let others = AtWork::new(&stack, &other).await;
        for (client, known_by) in [
            (Client::register(&stack).await, "registration"),
            (documented(&stack, &server).await, "document"),
            (Client::pre_registered(&stack, &PUBLIC).await, "operator"),
        ] {
            let work = AtWork::new(&stack, &client).await;
            let old = work.tokens.text("access_token").to_owned();
            let done = asked(&stack, &["clients", "block", &client.id, "--by", "Grace"]).await;
            assert_eq!(done["ended_grants"], 2, "{known_by}: {done}");
            work.has_ended(&stack, &client).await;
            let listed = asked(&stack, &["clients", "list"]).await;
            let listed = listed.as_array().unwrap().iter().find(|it| it["client_id"] == client.id);
            let listed = listed.unwrap();
            assert_eq!((&listed["known_by"], &listed["people"]), (&json!(known_by), &json!(0)));
            assert!(listed["blocked_at"].is_string(), "{listed}");
            let again = operator::carry_out(&stack, &["clients", "block", &client.id]).await;
            assert!(again.unwrap_err().contains("already"));

            stack.advance(6);
            asked(&stack, &["clients", "unblock", &client.id, "--by", "Grace"]).await;
            let tokens = client.obtain_tokens(&mut Browser::default()).await;
            assert_eq!(status(&stack, tokens.text("access_token")).await, 200, "{known_by}");
            assert_eq!(status(&stack, &old).await, 401, "{known_by}");
        }
        assert_eq!(status(&stack, others.tokens.text("access_token")).await, 200);
        let audit = asked(&stack, &["audit", "--kind", "client_blocked"]).await;
        assert_eq!(audit.as_array().unwrap().len(), 3, "{audit}");
        assert_eq!(
            (&audit[0]["actor"], &audit[0]["sub"]),
            (&json!("operator Grace"), &Value::Null)
        );
        assert!(audit[1]["subject"].as_str().unwrap().starts_with("Documented ("), "{audit}");
    }
}

#[tokio::test]
async fn a_token_of_a_clients_own_ends_with_it() {
    let stack = Stack::start().await;
    let client = Client::pre_registered(&stack, &["--grant-type", "client_credentials"]).await;
    let form = [("grant_type", "client_credentials".into())];
    let token = client.post_authenticated("/token", &form).await.text("access_token").to_owned();
    assert_eq!(status(&stack, &token).await, 200);
    asked(&stack, &["clients", "block", &client.id]).await;
    is_refused_in_time(&stack, &token).await;
    let refused = client.post_authenticated("/token", &form).await;
    assert_eq!(refused.text("error"), "access_denied", "{}", refused.json);
}

#[tokio::test]
async fn clients_are_listed_with_the_people_who_use_them() {
    let stack = Stack::start().await;
    let entered = Client::pre_registered(&stack, &PUBLIC).await;
    let used = Client::register(&stack).await;
    let tokens = used.obtain_tokens(&mut Browser::default()).await;
    used.obtain_tokens(&mut Browser::default()).await;
    stack.advance(3600);
    used.refresh(tokens.text("refresh_token")).await;
    let listed = asked(&stack, &["clients", "list"]).await;
    assert_eq!(listed.as_array().unwrap().len(), 2, "{listed}");
    assert_eq!(listed[0]["client_id"], entered.id);
    assert_eq!((&listed[0]["grants"], &listed[0]["last_used_at"]), (&json!(0), &Value::Null));
    let own = &listed[1];
    assert_eq!((&own["people"], &own["grants"]), (&json!(1), &json!(2)), "{own}");
    let grants = asked(&stack, &["grants", "list", "--client", &used.id]).await;
    assert_eq!(own["last_used_at"], grants[1]["last_used_at"]);
    assert_ne!(own["last_used_at"], grants[0]["last_used_at"], "the older grant was used last");
    let table = operator::carry_out(&stack, &["clients", "list"]).await.unwrap();
    assert!(table.contains("Test client") && table.contains("registration"), "{table}");

    let unknown =
        operator::carry_out(&stack, &["clients", "block", "unknown-app"]).await.unwrap_err();
    assert!(unknown.contains("auth clients list"), "{unknown}");
}
