//! `GET /consent` and `POST /consent`

use tests::{
    people::browser::{Browser, Page},
    programs::client::{Client, REDIRECT_URI, with},
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
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let (_, page) = consent_page(&stack, &mut browser).await;
    let text = page.text();
    for shown in ["Test client", "127.0.0.1:1", "Use the tools", "See your name", "Nick Lucas"] {
        assert!(text.contains(shown), "{shown} is missing in: {text}");
    }
}

#[tokio::test]
async fn allowing_sends_back_a_code_with_state_and_iss() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
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
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let (_, page) = consent_page(&stack, &mut browser).await;
    let page = browser.press(&page, "decision", "deny").await;
    assert_eq!(page.query("error").as_deref(), Some("access_denied"));
    assert_eq!(page.query("iss"), Some(stack.issuer.clone()));
}

#[tokio::test]
async fn the_answer_counts_only_in_the_browser_that_was_asked() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
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
    let request = tests::programs::client::http()
        .post(stack.at("/consent"))
        .header("sec-fetch-site", "cross-site")
        .form(&[("request", "x"), ("decision", "allow")]);
    assert_eq!(request.send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn a_page_that_was_left_open_too_long_is_refused() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let (_, page) = consent_page(&stack, &mut browser).await;
    stack.advance(1801);
    let page = browser.press(&page, "decision", "allow").await;
    assert!(page.text().contains("consent_stale"), "{}", page.text());
}

#[tokio::test]
async fn added_fields_change_nothing() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let (client, page) = consent_page(&stack, &mut browser).await;
    let request = page.hidden("request");
    let form = [
        ("request", request.as_str()),
        ("decision", "allow"),
        ("scope", "profile"),
        ("scope", "email"),
        ("scope", "admin"),
        ("redirect_uri", "https://evil.test"),
        ("client_id", "another"),
        ("resource", "https://evil.test/mcp"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("state", "another"),
        ("user_id", "2"),
        ("sub", "2"),
    ];
    let page = browser.post(&stack.at("/consent"), &form).await;
    assert!(page.url.as_str().starts_with(REDIRECT_URI), "{}", page.url);
    assert_eq!(page.query("state").as_deref(), Some("the-state"));
    let answer = client.post("/token", &client.code_form(&page.query("code").unwrap())).await;
    assert_eq!(answer.text("scope"), "mcp:tools profile email");
    let claims = tests::stack::access_token::claims(answer.text("access_token"));
    assert_eq!(claims["client_id"], client.id.as_str());
    assert_eq!(claims["aud"], stack.audience.as_str());
    assert_eq!(claims["name"], "Nick Lucas");
}

#[tokio::test]
async fn a_scope_that_was_unticked_is_not_granted() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let (client, page) = consent_page(&stack, &mut browser).await;
    let allow = ("decision", "allow");
    let page = browser.press_after(&page, allow, &[("scope", "email", false)]).await;
    let answer = client.post("/token", &client.code_form(&page.query("code").unwrap())).await;
    assert_eq!(answer.text("scope"), "mcp:tools profile");
}

#[tokio::test]
async fn unticking_every_scope_denies_the_request() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let client = Client::register(&stack).await;
    let request = with(client.authorize_parameters(), "scope", "email");
    let page = client.reach_consent(&mut browser, &client.authorize_url(&request)).await;
    let allow = ("decision", "allow");
    let page = browser.press_after(&page, allow, &[("scope", "email", false)]).await;
    assert_eq!(page.query("error").as_deref(), Some("access_denied"));
}

/// The person typed the address, or clicked on another site's page, or did neither.
const TYPED: [(&str, &str); 1] = [("sec-fetch-site", "none")];
const CLICKED: [(&str, &str); 2] = [("sec-fetch-site", "cross-site"), ("sec-fetch-user", "?1")];
const SENT: [(&str, &str); 1] = [("sec-fetch-site", "cross-site")];

/// A client with a secret that registered itself.
async fn registered_with_secret(stack: &Stack) -> Client {
    let secret = serde_json::json!({"token_endpoint_auth_method": "client_secret_basic"});
    Client::register_as(stack, secret).await
}

/// The person has allowed the client once; what a further request of theirs leads to.
async fn ask_again(change: (&'static str, &str)) -> Page {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let client = registered_with_secret(&stack).await;
    client.obtain_code(&mut browser).await;
    let request = with(client.authorize_parameters(), change.0, change.1);
    browser.open_from(&client.authorize_url(&request), &TYPED).await
}

#[tokio::test]
async fn a_client_that_can_prove_itself_is_not_asked_about_twice() {
    let page = ask_again(("prompt", "none")).await;
    assert!(page.query("code").is_some(), "{} {}", page.url, page.text());
    let page = ask_again(("scope", "mcp:tools")).await;
    assert!(page.query("code").is_some(), "{} {}", page.url, page.text());
}

#[tokio::test]
async fn a_page_of_another_site_gets_no_code_without_a_click_for_a_client_that_registered_itself() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let client = registered_with_secret(&stack).await;
    client.obtain_code(&mut browser).await;
    let url = client.authorize_url(&client.authorize_parameters());
    let silent = with(client.authorize_parameters(), "prompt", "none");
    let silent = client.authorize_url(&silent);
    for unasked in [&SENT[..], &[]] {
        let page = browser.open_from(&url, unasked).await;
        assert_eq!(page.url.path(), "/consent", "{unasked:?}");
        let page = browser.open_from(&silent, unasked).await;
        assert_eq!(page.query("error").as_deref(), Some("consent_required"), "{unasked:?}");
    }
    for asked in [&TYPED[..], &CLICKED, &[("sec-fetch-site", "same-site")]] {
        for url in [&url, &silent] {
            let page = browser.open_from(url, asked).await;
            assert!(page.query("code").is_some(), "{asked:?}: {}", page.text());
        }
    }
}

#[tokio::test]
async fn a_client_that_an_operator_entered_is_remembered_however_its_request_comes() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let options = ["--redirect-uri", tests::programs::client::REDIRECT_URI];
    let client = Client::pre_registered(&stack, &options).await;
    client.obtain_code(&mut browser).await;
    let silent = with(client.authorize_parameters(), "prompt", "none");
    let page = browser.open_from(&client.authorize_url(&silent), &SENT).await;
    assert!(page.query("code").is_some(), "{}", page.text());
}

#[tokio::test]
async fn a_look_at_the_headers_alone_gets_no_code() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let client = registered_with_secret(&stack).await;
    client.obtain_code(&mut browser).await;
    let url = client.authorize_url(&client.authorize_parameters());
    let look = tests::programs::client::http().head(&url);
    let look = look.header("cookie", browser.cookies_for(&url)).header("sec-fetch-site", "none");
    let answer = look.send().await.unwrap();
    let location = answer.headers()["location"].to_str().unwrap();
    assert!(location.starts_with("/consent?"), "{location}");
    let page = browser.open_from(&url, &TYPED).await;
    assert!(page.query("code").is_some(), "the consent is not remembered");
}

#[tokio::test]
async fn more_than_was_allowed_is_asked_about() {
    let page = ask_again(("scope", "mcp:tools profile email offline_access")).await;
    assert_eq!(page.url.path(), "/consent", "{}", page.text());
    let page = ask_again(("prompt", "consent")).await;
    assert_eq!(page.url.path(), "/consent", "{}", page.text());
}

#[tokio::test]
async fn where_a_client_asks_for_more_what_was_allowed_before_is_folded() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let client = Client::register(&stack).await;
    let tools = with(client.authorize_parameters(), "scope", "mcp:tools");
    let more = with(client.authorize_parameters(), "scope", "mcp:tools email");
    let page = client.reach_consent(&mut browser, &client.authorize_url(&tools)).await;
    let answered = browser.press(&page, "decision", "allow").await;
    let other_port = with(more.clone(), "redirect_uri", "http://127.0.0.1:2/callback");
    for request in [&more, &other_port] {
        let text = browser.open(&client.authorize_url(request)).await.text();
        assert!(text.contains("to do more") && text.contains("you allowed before (1)"), "{text}");
    }

    let stranger = Client::register_as(&stack, serde_json::json!({"client_uri": "https://a.test"}));
    let stranger = stranger.await;
    let same = with(more.clone(), "client_id", &stranger.id);
    let code = answered.query("code").unwrap();
    let tokens = client.post("/token", &client.code_form(&code)).await;
    let nothing_allowed = async |browser: &mut Browser, request: &[(&'static str, String)]| {
        let text = browser.open(&client.authorize_url(request)).await.text();
        assert!(text.contains("Use the tools") && !text.contains("allowed before"), "{text}");
    };
    nothing_allowed(&mut browser, &same).await;
    let refresh_token = tokens.text("refresh_token").to_owned();
    let form = [("token", refresh_token), ("client_id", client.id.clone())];
    assert_eq!(client.post("/revoke", &form).await.status, 200);
    nothing_allowed(&mut browser, &more).await;
}

#[tokio::test]
async fn a_public_client_is_asked_about_every_time() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let client = Client::register(&stack).await;
    client.obtain_code(&mut browser).await;
    let url = client.authorize_url(&client.authorize_parameters());
    assert_eq!(browser.open(&url).await.url.path(), "/consent");
    let silent = with(client.authorize_parameters(), "prompt", "none");
    let page = browser.open(&client.authorize_url(&silent)).await;
    assert_eq!(page.query("error").as_deref(), Some("consent_required"));
}

#[tokio::test]
async fn a_consent_that_was_taken_back_is_not_remembered() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let secret = serde_json::json!({"token_endpoint_auth_method": "client_secret_post"});
    let client = Client::register_as(&stack, secret).await;
    let code = client.obtain_code(&mut browser).await;
    let mut form = client.code_form(&code);
    form.push(("client_secret", client.secret.clone().unwrap()));
    let tokens = client.post("/token", &form).await;
    let revocation = [
        ("token", tokens.text("refresh_token").to_owned()),
        ("client_id", client.id.clone()),
        ("client_secret", client.secret.clone().unwrap()),
    ];
    assert_eq!(client.post("/revoke", &revocation).await.status, 200);
    let url = client.authorize_url(&client.authorize_parameters());
    assert_eq!(browser.open_from(&url, &TYPED).await.url.path(), "/consent");
}

#[tokio::test]
async fn it_is_never_made_for_a_frame() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let (_, page) = consent_page(&stack, &mut browser).await;
    for destination in ["iframe", "object", "embed"] {
        let framed = tests::programs::client::http()
            .get(page.url.clone())
            .header("sec-fetch-dest", destination)
            .send()
            .await
            .unwrap();
        assert_eq!(framed.status(), 403);
        assert!(framed.text().await.unwrap().contains("page_framed"));
    }
}

#[tokio::test]
async fn it_speaks_the_language_of_the_person() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let client = Client::register(&stack).await;
    let german = with(client.authorize_parameters(), "ui_locales", "de");
    let page = client.reach_consent(&mut browser, &client.authorize_url(&german)).await;
    assert!(page.html.contains("<html lang=\"de\">"), "{}", page.html);
    assert!(page.text().contains("Erlauben"), "{}", page.text());
}

#[tokio::test]
async fn a_client_whose_name_claims_a_brand_is_warned_of() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let name = serde_json::json!({"client_name": "G\u{43e}\u{43e}gle Drive"});
    let client = Client::register_as(&stack, name).await;
    let url = client.authorize_url(&client.authorize_parameters());
    let text = client.reach_consent(&mut browser, &url).await.text();
    assert!(text.contains("mentions \u{2068}Google\u{2069}"), "{text}");
    assert!(text.contains("different alphabets"), "{text}");
}

#[tokio::test]
async fn opening_it_is_no_way_around_signing_in_again() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let (client, _) = consent_page(&stack, &mut browser).await;
    stack.advance(600);
    for (name, value) in [("prompt", "login"), ("max_age", "60")] {
        let request = with(client.authorize_parameters(), name, value);
        let url = client.authorize_url(&request).replace("/authorize?", "/consent?");
        let page = browser.open(&url).await;
        assert_eq!(page.url.path(), "/sign-in", "{name}: {}", page.text());
    }
    let url = client.authorize_url(&client.authorize_parameters());
    let page = browser.open(&url.replace("/authorize?", "/consent?")).await;
    assert_eq!(page.url.path(), "/consent", "{}", page.text());
}

#[tokio::test]
async fn one_page_is_answered_once() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let (_, page) = consent_page(&stack, &mut browser).await;
    let denied = browser.press(&page, "decision", "deny").await;
    assert_eq!(denied.query("error").as_deref(), Some("access_denied"));
    let second = browser.press(&page, "decision", "allow").await;
    assert_eq!((second.status.as_u16(), second.query("code")), (403, None));
    assert!(second.text().contains("consent_answered"), "{}", second.text());
}

#[tokio::test]
async fn an_answer_that_is_neither_does_not_use_up_the_page() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let (_, page) = consent_page(&stack, &mut browser).await;
    let request = page.hidden("request");
    for decision in ["", "maybe", "ALLOW"] {
        let form = [("request", request.as_str()), ("decision", decision)];
        let refused = browser.post(&stack.at("/consent"), &form).await;
        assert_eq!((refused.status.as_u16(), refused.query("code")), (400, None), "{decision}");
    }
    let answered = browser.press(&page, "decision", "allow").await;
    assert!(answered.query("code").is_some(), "{} {}", answered.url, answered.text());
}

#[tokio::test]
async fn no_other_page_may_frame_it_or_learn_its_address() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let (_, page) = consent_page(&stack, &mut browser).await;
    assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
    assert!(!page.header("content-security-policy").contains("unsafe"));
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert_eq!(page.header("referrer-policy"), "same-origin");
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(!page.html.contains("<script"));
}

#[tokio::test]
async fn a_hostile_client_name_is_shown_harmlessly() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let name = "<script>alert(1)</script>\"><img src=x onerror=alert(1)>";
    let client = Client::register_as(&stack, serde_json::json!({"client_name": name})).await;
    let request = with(client.authorize_parameters(), "state", "\"><script>");
    let page = client.reach_consent(&mut browser, &client.authorize_url(&request)).await;
    assert!(!page.html.contains("<script"), "{}", page.html);
    assert!(!page.html.contains("<img"), "{}", page.html);
}
