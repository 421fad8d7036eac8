//! `GET /end_session` and `POST /end_session`

use tests::{
    people::browser::{Browser, Page},
    programs::client::{Client, with},
    stack::{Stack, access_token},
};
use url::Url;

/// `post_logout_redirect_uri` of the client. No server listens there.
const AFTERWARDS: &str = "http://127.0.0.1:1/signed-out?a=b";

struct Setting {
    stack: Stack,
    client: Client,
    browser: Browser,
    id_token: String,
}

/// A person who is signed in, and a client with an ID token of theirs.
async fn setting() -> Setting {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let metadata = serde_json::json!({
        "token_endpoint_auth_method": "none",
        "post_logout_redirect_uris": [AFTERWARDS],
    });
    let client = Client::register_as(&stack, metadata).await;
    let id_token = id_token(&client, &mut browser).await;
    Setting { stack, client, browser, id_token }
}

async fn id_token(client: &Client, browser: &mut Browser) -> String {
    let request = with(client.authorize_parameters(), "scope", "openid mcp:tools");
    let page = client.reach_consent(browser, &client.authorize_url(&request)).await;
    let page = browser.press(&page, "decision", "allow").await;
    let code = page.query("code").unwrap();
    let tokens = client.post("/token", &client.code_form(&code)).await;
    tokens.text("id_token").to_owned()
}

impl Setting {
    async fn ask(&mut self, parameters: &[(&str, &str)]) -> Page {
        let url = Url::parse_with_params(&self.stack.at("/end_session"), parameters).unwrap();
        self.browser.open(url.as_str()).await
    }

    async fn is_signed_in(&mut self) -> bool {
        self.browser.open(&self.stack.at("/")).await.text().contains("Nick Lucas")
    }
}

#[tokio::test]
async fn an_id_token_of_this_session_signs_out_and_leads_back_to_the_client() {
    let mut setting = setting().await;
    let hint = setting.id_token.clone();
    // It may have expired: the clock is past its end here.
    setting.stack.advance(3600);
    let page = setting
        .ask(&[
            ("id_token_hint", &hint),
            ("post_logout_redirect_uri", AFTERWARDS),
            ("state", "a state & more"),
        ])
        .await;
    assert!(page.url.as_str().starts_with(AFTERWARDS), "{}: {}", page.url, page.text());
    assert_eq!(page.query("state").as_deref(), Some("a state & more"));
    assert!(!setting.is_signed_in().await);
}

#[tokio::test]
async fn any_other_request_needs_the_consent_of_the_user() {
    let mut setting = setting().await;
    let id = setting.client.id.clone();
    let other = id_token(&setting.client, &mut Browser::default()).await;
    let (content, _) = setting.id_token.rsplit_once('.').unwrap();
    let forged = format!("{content}.{}", other.rsplit_once('.').unwrap().1);
    for parameters in [
        vec![],
        vec![("client_id", id.as_str()), ("post_logout_redirect_uri", AFTERWARDS)],
        vec![("id_token_hint", other.as_str())],
        vec![("id_token_hint", forged.as_str())],
        vec![("id_token_hint", "x"), ("client_id", id.as_str())],
    ] {
        let page = setting.ask(&parameters).await;
        assert_eq!((page.status.as_u16(), page.url.path()), (200, "/end_session"));
        assert!(page.text().contains("Sign out?"), "{parameters:?}: {}", page.text());
        assert!(setting.is_signed_in().await, "{parameters:?}");
    }
}

#[tokio::test]
async fn the_persons_yes_signs_out_and_leads_back_to_the_client() {
    let mut setting = setting().await;
    let id = setting.client.id.clone();
    let parameters = [
        ("client_id", id.as_str()),
        ("post_logout_redirect_uri", AFTERWARDS),
        ("state", "the-state"),
    ];
    let page = setting.ask(&parameters).await;
    assert!(page.text().contains("Test client"), "{}", page.text());
    let page = setting.browser.send_form(&page, "/end_session").await;
    assert!(page.url.as_str().starts_with(AFTERWARDS), "{}: {}", page.url, page.text());
    assert_eq!(page.query("state").as_deref(), Some("the-state"));
    assert!(!setting.is_signed_in().await);
}

#[tokio::test]
async fn a_forged_yes_signs_nobody_out() {
    let mut setting = setting().await;
    let url = setting.stack.at("/end_session");
    let page = setting.browser.post(&url, &[("csrf", "guessed"), ("request", "")]).await;
    assert!(page.text().contains("sign_out_stale"), "{}", page.text());
    assert!(setting.is_signed_in().await);
}

#[tokio::test]
async fn a_request_that_is_posted_asks_as_one_that_is_not() {
    let mut setting = setting().await;
    let url = setting.stack.at("/end_session");
    let id = setting.client.id.clone();
    let page = setting.browser.post(&url, &[("client_id", &id), ("state", "s")]).await;
    assert_eq!(page.url.path(), "/end_session");
    assert!(page.text().contains("Test client"), "{}", page.text());
    assert!(setting.is_signed_in().await);
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_the_client_did_not_register() {
    let mut setting = setting().await;
    let id = setting.client.id.clone();
    let hint = setting.id_token.clone();
    for uri in [
        "http://127.0.0.1:1/signed-out",
        "http://127.0.0.1:1/signed-out?a=b&c=d",
        "http://127.0.0.1:2/signed-out?a=b",
        "https://evil.test/",
        "javascript:alert(1)",
    ] {
        for name in ["client_id", "id_token_hint"] {
            let who = if name == "client_id" { &id } else { &hint };
            let page = setting.ask(&[(name, who), ("post_logout_redirect_uri", uri)]).await;
            assert_eq!((page.status.as_u16(), page.header("location")), (400, ""), "{uri}");
            let text = page.text();
            assert!(text.contains("post_logout_redirect_uri_unregistered"), "{uri}: {text}");
        }
    }
    let page = setting.ask(&[("post_logout_redirect_uri", AFTERWARDS)]).await;
    assert!(page.text().contains("end_session_client_missing"), "{}", page.text());
    assert!(setting.is_signed_in().await);
}

#[tokio::test]
async fn an_id_token_of_another_client_speaks_for_that_one_alone() {
    let mut setting = setting().await;
    let other = Client::register(&setting.stack).await;
    let hint = setting.id_token.clone();
    let page = setting.ask(&[("id_token_hint", &hint), ("client_id", &other.id)]).await;
    assert_eq!(page.status, 400);
    assert!(page.text().contains("end_session_other_client"), "{}", page.text());
    assert!(setting.is_signed_in().await);
}

#[tokio::test]
async fn an_access_token_is_no_hint() {
    let mut setting = setting().await;
    let claims = access_token::claims(&setting.id_token);
    let access_token = access_token::signed(&setting.stack, &claims);
    let page = setting.ask(&[("id_token_hint", &access_token)]).await;
    assert!(page.text().contains("Sign out?"), "{}", page.text());
    assert!(setting.is_signed_in().await);
}

/// The outcome of a request without a session.
async fn asked_by(stack: &Stack, client: &Client, site: &str) -> Page {
    let parameters = [("client_id", client.id.as_str()), ("post_logout_redirect_uri", site)];
    let url = Url::parse_with_params(&stack.at("/end_session"), parameters).unwrap();
    Browser::default().open(url.as_str()).await
}

#[tokio::test]
async fn nobody_is_led_to_a_site_that_only_a_registration_names_without_a_page() {
    let stack = Stack::start().await;
    for site in ["https://app.example/out", "cursor://app.example/out"] {
        let metadata = serde_json::json!({"post_logout_redirect_uris": [site]});
        let client = Client::register_as(&stack, metadata).await;
        let page = asked_by(&stack, &client, site).await;
        assert_eq!((page.status.as_u16(), page.header("location")), (200, ""), "{site}");
        let host = if site.starts_with("https") { ">app.example<" } else { ">cursor:<" };
        for shown in [host, &format!("href=\"{site}\""), "has not been verified"] {
            assert!(page.html.contains(shown), "{shown} is missing: {}", page.html);
        }
    }
}

#[tokio::test]
async fn a_client_that_an_operator_entered_and_one_with_the_persons_yes_have_people_led_back() {
    let stack = Stack::start().await;
    let site = "https://app.example/out";
    let metadata = serde_json::json!({"post_logout_redirect_uris": [site]});
    let registered = Client::register_as(&stack, metadata).await;
    let options = ["--redirect-uri", site, "--post-logout-redirect-uri", site];
    let entered = Client::pre_registered(&stack, &options).await;
    assert_eq!(asked_by(&stack, &entered, site).await.url.as_str(), site);

    let mut browser = Browser::default();
    let url = registered.authorize_url(&registered.authorize_parameters());
    registered.reach_consent(&mut browser, &url).await;
    let parameters = [("client_id", registered.id.as_str()), ("post_logout_redirect_uri", site)];
    let url = Url::parse_with_params(&stack.at("/end_session"), parameters).unwrap();
    let page = browser.open(url.as_str()).await;
    assert!(page.text().contains("Sign out?"), "{}", page.text());
    assert_eq!(browser.send_form(&page, "/end_session").await.url.as_str(), site);
}

#[tokio::test]
async fn who_is_signed_out_already_is_led_back_at_once() {
    let mut setting = setting().await;
    setting.browser = Browser::default();
    let id = setting.client.id.clone();
    let parameters = [("client_id", id.as_str()), ("post_logout_redirect_uri", AFTERWARDS)];
    assert_eq!(setting.ask(&parameters).await.url.as_str(), AFTERWARDS);
    let page = setting.ask(&[]).await;
    assert!(page.text().contains("You are signed out"), "{}", page.text());
}
