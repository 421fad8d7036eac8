//! What a database in trouble comes to: an outage, told as one, that tells nothing of the inside.

use reqwest::{RequestBuilder, Response};
use sea_orm::ConnectionTrait;
use tests::{
    people::browser::Browser,
    programs::client::{Answer, Client, http},
    stack::Stack,
};

/// What only this side knows.
const INSIDE: [&str; 8] =
    ["SELECT", "INSERT", "sqlx", "no such table", "grants", "sessions", ".rs", "auth.db"];

async fn execute(stack: &Stack, statement: &str) {
    stack.state.db.connection().execute_unprepared(statement).await.unwrap();
}

/// A person's browser that is signed in, and what it sends to open a page.
async fn signed_in(stack: &Stack) -> Browser {
    let mut browser = Browser::default();
    let page = browser.open(&stack.at("/sign-in")).await;
    let page = browser.send_form(&page, "/sign-in/github").await;
    browser.press(&page, "user", "nick-lucas").await;
    browser
}

/// The text of an answer that tells of an outage and of nothing else.
async fn text_of_an_outage(request: RequestBuilder) -> String {
    let answer: Response = request.send().await.unwrap();
    let status = answer.status();
    let headers = answer.headers().clone();
    let text = answer.text().await.unwrap();
    assert_eq!((status.as_u16(), headers["retry-after"].to_str().unwrap()), (503, "5"), "{text}");
    assert_eq!(headers["cache-control"], "no-store");
    assert!(headers.contains_key("x-request-id"));
    for inside in INSIDE {
        assert!(!text.contains(inside), "{inside} is told: {text}");
    }
    text
}

#[tokio::test]
async fn a_database_in_trouble_is_an_outage_and_another_try_succeeds() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let tokens = client.obtain_tokens(&mut Browser::default()).await;
    let refresh_token = tokens.text("refresh_token");
    let id = ("client_id", client.id.as_str());
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", refresh_token), id];
    let requests = || {
        let post = |path: &str| http().post(stack.at(path));
        [
            post("/token").form(&refresh),
            http().get(stack.at("/userinfo")).bearer_auth(tokens.text("access_token")),
            post("/revoke").form(&[("token", refresh_token), id]),
        ]
    };
    execute(&stack, "ALTER TABLE grants RENAME TO gone").await;
    for request in requests() {
        let told = text_of_an_outage(request).await;
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told["error"], "temporarily_unavailable", "{told}");
    }
    for path in ["/jwks", "/.well-known/oauth-authorization-server"] {
        assert_eq!(Answer::of(http().get(stack.at(path))).await.status, 200, "{path}");
    }
    execute(&stack, "ALTER TABLE gone RENAME TO grants").await;
    for request in requests() {
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
    }
}

#[tokio::test]
async fn people_are_told_of_an_outage_on_a_page_with_its_request_id() {
    let stack = Stack::start().await;
    let browser = signed_in(&stack).await;
    let open = |path: &str| {
        http().get(stack.at(path)).header("cookie", browser.cookies_for(&stack.issuer))
    };
    execute(&stack, "ALTER TABLE sessions RENAME TO gone").await;
    let html = text_of_an_outage(open("/account")).await;
    for shown in ["database_failed", "Try again", "class=\"button"] {
        assert!(html.contains(shown), "{shown} is missing: {html}");
    }
    let json = text_of_an_outage(open("/account").header("accept", "application/json")).await;
    assert!(json.contains("temporarily_unavailable"), "{json}");
    execute(&stack, "ALTER TABLE gone RENAME TO sessions").await;
    assert_eq!(open("/account").send().await.unwrap().status(), 200);
}
