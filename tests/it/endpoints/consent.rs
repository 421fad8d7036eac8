//! `GET /consent` and `POST /consent`

use tests::{
    browser::{Browser, Page},
    client::{Client, REDIRECT_URI, with},
    stack::Stack,
};

async fn consent_page(stack: &Stack, browser: &mut Browser) -> (Client, Page) {
    let client = Client::register(stack).await;
    let url = client.authorize_url(&client.authorize_parameters());
    let page = client.reach_consent(browser, &url).await;
    assert_eq!(page.url.path(), "/consent", "{}", page.text());
    (client, page)
}

#[tokio::test]
async fn it_shows_who_asks_for_what_and_where_the_answer_goes() {
    let (stack, mut browser) = (Stack::start().await, Browser::default());
    let (_, page) = consent_page(&stack, &mut browser).await;
    let text = page.text();
    for shown in ["Test client", "127.0.0.1:1", "Use the tools", "See your name", "Nick Lucas"] {
        assert!(text.contains(shown), "{shown} is missing in: {text}");
    }
}

#[tokio::test]
async fn allowing_sends_back_a_code_with_state_and_iss() {
    let (stack, mut browser) = (Stack::start().await, Browser::default());
    let (_, page) = consent_page(&stack, &mut browser).await;
    let page = browser.press(&page, "decision", "allow").await;
    assert!(page.url.as_str().starts_with(REDIRECT_URI));
    assert_eq!(page.status, 303);
    assert!(page.query("code").unwrap().starts_with("pcc_"));
    assert_eq!(page.query("state").as_deref(), Some("the-state"));
    assert_eq!(page.query("iss"), Some(stack.issuer.clone()));
}

#[tokio::test]
async fn denying_sends_back_access_denied() {
    let (stack, mut browser) = (Stack::start().await, Browser::default());
    let (_, page) = consent_page(&stack, &mut browser).await;
    let page = browser.press(&page, "decision", "deny").await;
    assert_eq!(page.query("error").as_deref(), Some("access_denied"));
    assert_eq!(page.query("iss"), Some(stack.issuer.clone()));
}

#[tokio::test]
async fn the_answer_counts_only_in_the_browser_that_was_asked() {
    let (stack, mut browser) = (Stack::start().await, Browser::default());
    let (_, page) = consent_page(&stack, &mut browser).await;
    let request = page.hidden("request");
    let form = [("request", request.as_str()), ("decision", "allow")];

    let answer = Browser::default().post(&stack.at("/consent"), &form).await;
    assert_eq!(answer.status, 403);
    let mut other = Browser::default();
    consent_page(&stack, &mut other).await;
    let answer = other.post(&stack.at("/consent"), &form).await;
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("consent_stale"), "{}", answer.text());
}

#[tokio::test]
async fn a_form_from_another_site_is_refused() {
    let stack = Stack::start().await;
    let request = tests::client::http()
        .post(stack.at("/consent"))
        .header("sec-fetch-site", "cross-site")
        .form(&[("request", "x"), ("decision", "allow")]);
    assert_eq!(request.send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn a_page_that_was_left_open_too_long_is_refused() {
    let (stack, mut browser) = (Stack::start().await, Browser::default());
    let (_, page) = consent_page(&stack, &mut browser).await;
    stack.advance(1801);
    let page = browser.press(&page, "decision", "allow").await;
    assert!(page.text().contains("consent_stale"), "{}", page.text());
}

#[tokio::test]
async fn added_fields_change_nothing() {
    let (stack, mut browser) = (Stack::start().await, Browser::default());
    let (client, page) = consent_page(&stack, &mut browser).await;
    let request = page.hidden("request");
    let form = [
        ("request", request.as_str()),
        ("decision", "allow"),
        ("scope", "admin"),
        ("redirect_uri", "https://evil.test"),
    ];
    let page = browser.post(&stack.at("/consent"), &form).await;
    assert!(page.url.as_str().starts_with(REDIRECT_URI), "{}", page.url);
    let answer = client.post("/token", &client.code_form(&page.query("code").unwrap())).await;
    assert_eq!(answer.text("scope"), "mcp:tools profile email");
}

#[tokio::test]
async fn no_other_page_may_frame_it_or_learn_its_address() {
    let (stack, mut browser) = (Stack::start().await, Browser::default());
    let (_, page) = consent_page(&stack, &mut browser).await;
    assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
    assert!(!page.header("content-security-policy").contains("unsafe"));
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(!page.html.contains("<script"));
}

#[tokio::test]
async fn a_hostile_client_name_is_shown_harmlessly() {
    let (stack, mut browser) = (Stack::start().await, Browser::default());
    let name = "<script>alert(1)</script>\"><img src=x onerror=alert(1)>";
    let client = Client::register_as(&stack, serde_json::json!({"client_name": name})).await;
    let request = with(client.authorize_parameters(), "state", "\"><script>");
    let page = client.reach_consent(&mut browser, &client.authorize_url(&request)).await;
    assert!(!page.html.contains("<script"), "{}", page.html);
    assert!(!page.html.contains("<img"), "{}", page.html);
}
