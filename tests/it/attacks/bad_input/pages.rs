//! What people's browsers are sent to: a page or the client's redirect URI tells the mistake.

use tests::{
    people::browser::{Browser, Page},
    programs::client::{Client, REDIRECT_URI, http, with},
    stack::Stack,
};

use super::Flaw;

async fn open(browser: &mut Browser, stack: &Stack, path: &str, query: &str) -> Option<Page> {
    // An HTTP library refuses to send such a long address in the first place.
    let url = stack.at(&format!("{path}?{query}"));
    if url.len() < 60_000 { Some(browser.open(&url).await) } else { None }
}

#[tokio::test]
async fn each_flaw_of_an_authorization_request_is_told_to_whom_it_may_be_told() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let mut browser = Browser::default();
    let mut request = with(client.authorize_parameters(), "nonce", "n");
    request.extend([("prompt", "login".into()), ("max_age", "60".into())]);
    for (name, _) in &request {
        for flaw in Flaw::ALL {
            let query = flaw.in_form(&request, name);
            let Some(page) = open(&mut browser, &stack, "/authorize", &query).await else {
                continue;
            };
            let context = format!("{name} {flaw:?}: {} {}", page.url, page.status);
            assert!(!page.status.is_server_error(), "{context}");
            if flaw.is_invalid_request() && *name != "resource" {
                let is_page = page.status == 400 && page.header("location").is_empty();
                let is_told = page.query("error").as_deref() == Some("invalid_request");
                let knows_target = page.url.as_str().starts_with(REDIRECT_URI);
                assert!(is_page || is_told && knows_target, "{context}");
            }
            if ["client_id", "redirect_uri"].contains(name) {
                assert!(!page.url.as_str().starts_with(REDIRECT_URI), "{context}");
            }
        }
    }
}

#[tokio::test]
async fn an_address_longer_than_any_is_refused() {
    let stack = Stack::start().await;
    for path in ["/authorize", "/sign-in", "/consent", "/end_session"] {
        let url = stack.at(&format!("{path}?a={}", "a".repeat(65_400)));
        let status = http().get(url).send().await.map(|answer| answer.status().as_u16());
        assert!(status.as_ref().is_ok_and(|status| *status < 500), "{path}: {status:?}");
    }
}

#[tokio::test]
async fn forms_of_people_are_refused_by_a_page() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let home = browser.open(&stack.at("/sign-in")).await;
    let page = browser.send_form(&home, "/sign-in/github").await;
    browser.press(&page, "user", "nick-lucas").await;
    for (path, fields) in [
        ("/consent", &["request", "decision", "scope", "csrf"][..]),
        ("/sign-in/github", &["continue"]),
        ("/sign-in/github/link", &["continue", "csrf"]),
        ("/sign-in/nowhere", &["continue"]),
        ("/sign-out", &["continue", "csrf"]),
        ("/end_session", &["request", "csrf", "client_id", "state"]),
        ("/account/revoke", &["csrf", "grant"]),
        ("/account/sessions", &["csrf", "session"]),
        ("/account/identities", &["csrf", "identity"]),
        ("/account/delete", &["csrf", "sure"]),
    ] {
        let form: Vec<_> = fields.iter().map(|name| (*name, "/wrong".to_owned())).collect();
        for name in fields {
            for flaw in Flaw::ALL {
                let request = http()
                    .post(stack.at(path))
                    .header("content-type", "application/x-www-form-urlencoded")
                    .header("cookie", browser.cookies_for(&stack.issuer))
                    .body(flaw.in_form(&form, name));
                let answer = request.send().await.unwrap();
                let context = format!("{path} {name} {flaw:?}: {}", answer.status());
                assert!(!answer.status().is_server_error(), "{context}");
                if flaw.is_invalid_request() && path != "/sign-in/nowhere" {
                    let kind = answer.headers().get("content-type");
                    let is_page = kind.is_some_and(|kind| kind == "text/html; charset=utf-8");
                    assert!(answer.status().is_client_error() && is_page, "{context}");
                }
            }
        }
    }
    let home = browser.open(&stack.at("/")).await;
    assert!(home.text().contains("Nick Lucas"), "signed out by a form that was refused");
}

/// What comes before any handler of ours is told like everything else.
#[tokio::test]
async fn whatever_is_refused_is_a_page_with_its_reason_and_the_id_of_the_request() {
    let stack = Stack::start().await;
    let large = "a".repeat(70_000);
    let get = |path: &str| http().get(stack.at(path));
    let post = |path: &str| http().post(stack.at(path)).form(&[("csrf", "x")]);
    for (request, status, reason) in [
        (get("/nowhere"), 404, "not_found"),
        (get("/<script>"), 404, "not_found"),
        (post("/nowhere"), 404, "not_found"),
        (get("/sign-out"), 405, "method_not_allowed"),
        (get("/account/revoke"), 405, "method_not_allowed"),
        (post("/account"), 405, "method_not_allowed"),
        (post("/authorize"), 405, "method_not_allowed"),
        (get("/sign-in/%ff/callback"), 400, "request_malformed"),
        (post("/consent").form(&[("request", &large)]), 413, "body_too_large"),
        (post("/sign-out").form(&[("csrf", &large)]), 413, "body_too_large"),
        (post("/end_session").form(&[("csrf", &large)]), 413, "body_too_large"),
        (http().post(stack.at("/device")).body("user_code=a"), 400, "content_type"),
    ] {
        let answer = request.send().await.unwrap();
        let url = answer.url().clone();
        let headers = answer.headers().clone();
        assert_eq!(answer.status(), status, "{url}");
        assert_eq!(headers["content-type"], "text/html; charset=utf-8", "{url}");
        assert!(headers["content-security-policy"].to_str().unwrap().contains("default-src"));
        assert_eq!(headers.contains_key("allow"), status == 405, "{url}");
        let id = headers["x-request-id"].clone();
        let html = answer.text().await.unwrap();
        for shown in [reason, id.to_str().unwrap(), "class=\"button"] {
            assert!(html.contains(shown), "{shown} is missing at {url}: {html}");
        }
        assert!(!html.contains("<script"), "{url}");
    }
}

#[tokio::test]
async fn programs_are_told_the_same_as_json() {
    let stack = Stack::start().await;
    for path in ["/token", "/par", "/introspect", "/revoke", "/register"] {
        let answer = http().delete(stack.at(path)).send().await.unwrap();
        assert_eq!(answer.status(), 405, "{path}");
        assert!(answer.headers().contains_key("allow"), "{path}");
        let told: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(told["error"], "invalid_request", "{path}");
    }
}

#[tokio::test]
async fn a_strange_authorization_header_is_a_bad_token() {
    let stack = Stack::start().await;
    let long = format!("Bearer {}", "a".repeat(30_000));
    for value in
        ["", "Bearer", "Bearer ", "Bearer a b", "Basic YTpi", "\u{ff}", "Bearer e30.e30.e30", &long]
    {
        let request = http().get(stack.at("/userinfo")).header("authorization", value);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 401, "{value:.20}");
        assert!(answer.headers().contains_key("www-authenticate"), "{value:.20}");
    }
}
