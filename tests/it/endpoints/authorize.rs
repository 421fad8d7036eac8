//! `GET /authorize`

use tests::{
    people::browser::{Browser, Page},
    programs::client::{Client, REDIRECT_URI, http, with, without},
    stack::Stack,
};

struct Setting {
    client: Client,
    browser: Browser,
    stack: Stack,
}

async fn setting() -> Setting {
    let stack = Stack::start().await;
    Setting { client: Client::register(&stack).await, browser: Browser::default(), stack }
}

impl Setting {
    fn valid_request(&self) -> Vec<(&'static str, String)> {
        self.client.authorize_parameters()
    }

    async fn open(&mut self, request: &[(&'static str, String)]) -> Page {
        self.browser.open(&self.client.authorize_url(request)).await
    }
}

fn is_sent_back(page: &Page) -> bool {
    page.url.as_str().starts_with(REDIRECT_URI)
}

#[tokio::test]
async fn a_valid_request_leads_to_the_sign_in_page_and_names_the_client() {
    let mut setting = setting().await;
    let page = setting.open(&setting.valid_request()).await;
    assert_eq!((page.status.as_u16(), page.url.path()), (200, "/sign-in"));
    assert!(page.text().contains("Test client"), "{}", page.text());
}

#[tokio::test]
async fn an_unknown_client_gets_a_page_and_never_a_redirect() {
    let mut setting = setting().await;
    for id in ["unknown", "dyn_x", "", "' OR 1=1--", "dyn_\u{0}"] {
        let page = setting.open(&with(setting.valid_request(), "client_id", id)).await;
        assert_eq!(page.status, 400, "{id}");
        assert!(page.header("content-type").starts_with("text/html"));
        assert_eq!(page.header("location"), "");
    }
}

#[tokio::test]
async fn a_program_that_probes_with_an_unknown_client_gets_json() {
    let setting = setting().await;
    let url = setting.client.authorize_url(&with(setting.valid_request(), "client_id", "unknown"));
    let answer = http().get(url).header("accept", "application/json").send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let json: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(json["error"], "invalid_client");
}

#[tokio::test]
async fn an_unregistered_redirect_uri_gets_a_page_and_never_a_redirect() {
    let mut setting = setting().await;
    for uri in [
        "http://127.0.0.1:1/callback/",
        "http://127.0.0.1:1/callback?x=1",
        "http://localhost:1/callback",
        "https://127.0.0.1:1/callback",
        "http://127.0.0.1:1@evil.test/callback",
        "https://evil.test/callback",
        "javascript:alert(1)",
        "//evil.test",
    ] {
        let page = setting.open(&with(setting.valid_request(), "redirect_uri", uri)).await;
        assert_eq!((page.status.as_u16(), page.header("location")), (400, ""), "{uri}");
        assert!(page.text().contains("redirect_uri_unregistered"), "{}", page.text());
    }
}

#[tokio::test]
async fn on_loopback_any_port_is_accepted() {
    let mut setting = setting().await;
    let uri = "http://127.0.0.1:51004/callback";
    let page = setting.open(&with(setting.valid_request(), "redirect_uri", uri)).await;
    assert_eq!(page.url.path(), "/sign-in");
}

#[tokio::test]
async fn doubled_client_id_or_redirect_uri_gets_a_page() {
    let mut setting = setting().await;
    for name in ["client_id", "redirect_uri"] {
        let mut request = setting.valid_request();
        request.push((name, "https://evil.test".into()));
        let page = setting.open(&request).await;
        assert_eq!((page.status.as_u16(), page.header("location")), (400, ""), "{name}");
    }
}

#[tokio::test]
async fn every_other_mistake_is_reported_to_the_client_with_state_and_iss() {
    let mut setting = setting().await;
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "", "invalid_request"),
        ("response_mode", "fragment", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("scope", "admin", "invalid_scope"),
        ("scope", "mcp:tools\nadmin", "invalid_scope"),
        ("resource", "https://evil.test/mcp", "invalid_target"),
        ("request", "eyJhbGciOiJub25lIn0..", "invalid_request"),
        ("prompt", "none login", "invalid_request"),
        ("prompt", "none", "login_required"),
    ] {
        let page = setting.open(&with(setting.valid_request(), name, value)).await;
        assert!(is_sent_back(&page), "{name}={value}: {}", page.url);
        assert_eq!(page.query("error").as_deref(), Some(error), "{name}={value}");
        assert_eq!(page.query("state").as_deref(), Some("the-state"));
        assert_eq!(page.query("iss"), Some(setting.stack.issuer.clone()));
        assert_eq!(page.query("code"), None);
    }
}

/// An address beyond this machine. The browser stops at it.
const SITE: &str = "https://app.example/callback";
const MISTAKES: [(&str, &str, &str); 4] = [
    ("response_type", "x", "unsupported_response_type"),
    ("scope", "zzz", "invalid_scope"),
    ("prompt", "none", "login_required"),
    ("code_challenge", "", "invalid_request"),
];

#[tokio::test]
async fn nobody_is_sent_to_a_site_that_only_a_registration_names_without_a_page() {
    let mut setting = setting().await;
    for place in [SITE, "cursor://app.example/callback"] {
        let metadata = serde_json::json!({"redirect_uris": [place]});
        let client = Client::register_as(&setting.stack, metadata).await;
        for (name, value, error) in MISTAKES {
            let request = with(client.authorize_parameters(), "redirect_uri", place);
            let url = client.authorize_url(&with(request, name, value));
            let page = setting.browser.open(&url).await;
            assert_eq!(
                (page.status.as_u16(), page.header("location")),
                (400, ""),
                "{place} {name}"
            );
            let html = page.html.replace("&amp;", "&");
            let shown = if place == SITE { ">app.example<" } else { ">cursor:<" };
            for shown in [shown, &format!("href=\"{place}?error={error}"), "&state=the-state&iss="]
            {
                assert!(html.contains(shown), "{place} {name}: {shown} is missing: {html}");
            }
        }
    }
}

#[tokio::test]
async fn what_the_person_has_decided_is_told_to_any_site_that_is_registered() {
    let setting = setting().await;
    let metadata = serde_json::json!({"redirect_uris": [SITE]});
    let client = Client::register_as(&setting.stack, metadata).await;
    let url = client.authorize_url(&with(client.authorize_parameters(), "redirect_uri", SITE));
    for (decision, answer) in [("deny", "error"), ("allow", "code")] {
        let mut browser = Browser::default();
        let page = client.reach_consent(&mut browser, &url).await;
        let page = browser.press(&page, "decision", decision).await;
        assert!(page.url.as_str().starts_with(SITE), "{decision}: {}", page.url);
        assert!(page.query(answer).is_some(), "{decision}: {}", page.url);
    }
}

#[tokio::test]
async fn a_client_that_an_operator_entered_is_told_of_its_mistakes_at_its_site() {
    let mut setting = setting().await;
    let options = ["--redirect-uri", SITE, "--auth-method", "none"];
    let client = Client::pre_registered(&setting.stack, &options).await;
    for (name, value, error) in MISTAKES {
        let request = with(client.authorize_parameters(), "redirect_uri", SITE);
        let page = setting.browser.open(&client.authorize_url(&with(request, name, value))).await;
        assert!(page.url.as_str().starts_with(SITE), "{name}: {}", page.url);
        assert_eq!(page.query("error").as_deref(), Some(error), "{name}");
    }
}

#[tokio::test]
async fn a_state_longer_than_2_kilobytes_is_refused() {
    let mut setting = setting().await;
    let longest = "\u{20ac}&=".repeat(409) + "abc";
    let longer = "a".repeat(2049);
    assert_eq!(longest.len(), 2048);
    for name in ["state", "nonce", "login_hint"] {
        let page = setting.open(&with(setting.valid_request(), name, &longest)).await;
        assert_eq!(page.url.path(), "/sign-in", "{name}");
        let page = setting.open(&with(setting.valid_request(), name, &longer)).await;
        assert_eq!(page.query("error").as_deref(), Some("invalid_request"), "{name}");
    }
    let request = with(setting.valid_request(), "state", &longest);
    let page = setting.open(&with(request, "prompt", "none")).await;
    assert_eq!(page.query("state"), Some(longest));
}

#[tokio::test]
async fn a_doubled_parameter_is_an_invalid_request() {
    let mut setting = setting().await;
    for name in ["scope", "code_challenge", "response_type"] {
        let mut request = setting.valid_request();
        let (_, value) = request.iter().find(|(known, _)| *known == name).unwrap().clone();
        request.push((name, value));
        let page = setting.open(&request).await;
        assert_eq!(page.query("error").as_deref(), Some("invalid_request"), "{name}");
    }
}

#[tokio::test]
async fn without_a_resource_the_only_one_is_meant() {
    let mut setting = setting().await;
    let page = setting.open(&without(setting.valid_request(), "resource")).await;
    assert_eq!(page.url.path(), "/sign-in");
}

#[tokio::test]
async fn a_signed_in_person_goes_straight_to_consent() {
    let mut setting = setting().await;
    let url = setting.client.authorize_url(&setting.valid_request());
    setting.client.reach_consent(&mut setting.browser, &url).await;
    let page = setting.browser.open(&url).await;
    assert_eq!(page.url.path(), "/consent");
    let page = setting.open(&with(setting.valid_request(), "prompt", "none")).await;
    assert_eq!(page.query("error").as_deref(), Some("consent_required"));
}

#[tokio::test]
async fn prompt_login_asks_a_signed_in_person_again() {
    let mut setting = setting().await;
    let url = setting.client.authorize_url(&setting.valid_request());
    setting.client.reach_consent(&mut setting.browser, &url).await;
    setting.stack.advance(600);
    let page = setting.open(&with(setting.valid_request(), "prompt", "login")).await;
    assert_eq!(page.url.path(), "/sign-in");
}

#[tokio::test]
async fn max_age_asks_who_signed_in_too_long_ago_to_sign_in_again() {
    let mut setting = setting().await;
    let url = setting.client.authorize_url(&setting.valid_request());
    setting.client.reach_consent(&mut setting.browser, &url).await;
    setting.stack.advance(600);
    for (max_age, path) in [("600", "/consent"), ("599", "/sign-in"), ("0", "/sign-in")] {
        let page = setting.open(&with(setting.valid_request(), "max_age", max_age)).await;
        assert_eq!(page.url.path(), path, "{max_age}");
    }
    let request = with(setting.valid_request(), "max_age", "599");
    let page = setting.open(&with(request, "prompt", "none")).await;
    assert_eq!(page.query("error").as_deref(), Some("login_required"));
    for max_age in ["-1", "1.5", "soon"] {
        let page = setting.open(&with(setting.valid_request(), "max_age", max_age)).await;
        assert_eq!(page.query("error").as_deref(), Some("invalid_request"), "{max_age}");
    }
}

#[tokio::test]
async fn max_age_zero_is_met_by_signing_in() {
    let mut setting = setting().await;
    let url = setting.client.authorize_url(&with(setting.valid_request(), "max_age", "0"));
    let page = setting.client.reach_consent(&mut setting.browser, &url).await;
    assert_eq!(page.url.path(), "/consent");
}

#[tokio::test]
async fn asking_writes_nothing() {
    let setting = setting().await;
    let url = setting.client.authorize_url(&setting.valid_request());
    let answer = http().get(&url).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    assert_eq!(answer.headers().get("set-cookie"), None);
}
