//! `GET /sign-in`, `POST /sign-in/{provider}` and `GET /sign-in/{provider}/callback`

mod github;
mod link;
mod openid;

use futures::future::join_all;
use serde_json::{Value, json};
use tests::{
    people::browser::Browser,
    programs::client::{Answer, Client, http},
    servers::openid_provider::OpenIdProvider,
    stack::{Engine, Stack, access_token, config_file},
};

#[tokio::test]
async fn sign_ins_that_nothing_comes_of_leave_the_database_as_it_was() {
    let stack = Stack::start().await;
    let before = stack.database_size();
    for _ in 0..50 {
        let request = http().post(stack.at("/sign-in/github")).form(&[("continue", "/")]);
        let answer = request.send().await.unwrap();
        assert!(answer.headers()["location"].to_str().unwrap().starts_with(&stack.github));
    }
    assert_eq!(stack.database_size(), before);
    let mut browser = Browser::default();
    let page = browser.open(&stack.at("/sign-in")).await;
    let page = browser.send_form(&page, "/sign-in/github").await;
    let page = browser.press(&page, "user", "nick-lucas").await;
    assert!(page.text().contains("Nick Lucas"), "{}", page.text());
    assert_ne!(stack.database_size(), before, "a sign-in is written down");
}

#[tokio::test]
async fn people_who_sign_in_at_once_each_get_their_own_account() {
    let stack = Stack::start().await;
    let names: Vec<_> = ('A'..='P').map(|letter| format!("Person {letter}")).collect();
    let people = names.iter().map(async |name| {
        let mut browser = Browser::default();
        let page = browser.open(&stack.at("/sign-in")).await;
        let page = browser.send_form(&page, "/sign-in/github").await;
        let typed = [("typed", "", false), ("typed", name.as_str(), true)];
        browser.press_after(&page, ("user", "typed"), &typed).await;
        browser.open(&stack.at("/")).await.text()
    });
    for (name, page) in names.iter().zip(join_all(people).await) {
        let shown: Vec<_> = names.iter().filter(|name| page.contains(name.as_str())).collect();
        assert_eq!(shown, [name], "{page}");
    }
}

/// A stack where people can sign in at GitHub and at the provider.
pub(crate) async fn with_provider() -> (Stack, OpenIdProvider, tempfile::TempDir) {
    with_provider_on(Engine::Sqlite).await
}

/// The same, on either engine.
pub(crate) async fn with_provider_on(engine: Engine) -> (Stack, OpenIdProvider, tempfile::TempDir) {
    let provider = OpenIdProvider::start().await;
    let folder = tempfile::tempdir().unwrap();
    let entry = provider.entry("example", &folder.path().join("secret"));
    let file = folder.path().join("portcullis.toml");
    let options = config_file::write(&file, &json!({"upstreams": [entry]}));
    let options = options.each_ref().map(String::as_str);
    (Stack::on_with(engine, &options).await, provider, folder)
}

/// Signs in at the provider on the way to tokens; the subject of the access token.
async fn subject(client: &Client, browser: &mut Browser) -> Value {
    let page = browser.open(&client.authorize_url(&client.authorize_parameters())).await;
    let page = browser.send_form(&page, "/sign-in/example").await;
    let page = browser.press(&page, "decision", "allow").await;
    let code = page.query("code").unwrap();
    let tokens = client.post("/token", &client.code_form(&code)).await;
    access_token::claims(tokens.text("access_token"))["sub"].clone()
}

#[tokio::test]
async fn the_stand_in_is_labelled_as_one() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let page = browser.open(&stack.at("/sign-in")).await;
    assert!(page.text().contains("stand-in"), "{}", page.text());
}

#[tokio::test]
async fn the_home_page_says_who_is_signed_in() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let page = browser.open(&stack.at("/sign-in")).await;
    let page = browser.send_form(&page, "/sign-in/github").await;
    let page = browser.press(&page, "user", "nick-lucas").await;
    assert_eq!(page.url.path(), "/");
    assert!(page.text().contains("Nick Lucas"), "{}", page.text());
}

#[tokio::test]
async fn the_same_person_keeps_one_account() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    let mut subjects = Vec::new();
    for _ in 0..2 {
        let tokens = client.obtain_tokens(&mut Browser::default()).await;
        let bearer = tests::programs::client::http()
            .get(stack.at("/userinfo"))
            .bearer_auth(tokens.text("access_token"));
        subjects.push(tests::programs::client::Answer::of(bearer).await.text("sub").to_owned());
    }
    assert_eq!(subjects[0], subjects[1]);
    assert!(!subjects[0].is_empty());
}

#[tokio::test]
async fn denying_at_github_says_so_and_signs_nobody_in() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let page = browser.open(&stack.at("/sign-in")).await;
    let page = browser.send_form(&page, "/sign-in/github").await;
    let page = browser.press(&page, "user", "deny").await;
    assert_eq!(page.status, 403);
    assert!(page.text().contains("upstream_denied"), "{}", page.text());
}

#[tokio::test]
async fn a_sign_in_cannot_be_finished_in_another_browser() {
    let stack = Stack::start().await;
    let mut attacker = Browser::default();
    let page = attacker.open(&stack.at("/sign-in")).await;
    let page = attacker.send_form(&page, "/sign-in/github").await;
    let mut victim = Browser::default();
    let page = victim.press(&page, "user", "nick-lucas").await;
    assert!(page.text().contains("sign_in_other_browser"), "{}", page.text());
}

#[tokio::test]
async fn a_sign_in_that_took_too_long_starts_again() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let page = browser.open(&stack.at("/sign-in")).await;
    let page = browser.send_form(&page, "/sign-in/github").await;
    stack.advance(601);
    let page = browser.press(&page, "user", "nick-lucas").await;
    assert!(page.text().contains("sign_in_expired"), "{}", page.text());
}

#[tokio::test]
async fn a_forged_or_missing_state_is_refused() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    for query in ["code=1", "code=1&state=x", "state=a&state=b&code=1", "error=access_denied"] {
        let page = browser.open(&stack.at(&format!("/sign-in/github/callback?{query}"))).await;
        assert!(page.status.is_client_error(), "{query}");
    }
}

#[tokio::test]
async fn it_never_continues_on_another_site() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    for elsewhere in ["https://evil.test/", "//evil.test", "/%5Cevil.test"] {
        let page = browser.open(&stack.at(&format!("/sign-in?continue={elsewhere}"))).await;
        assert_eq!(page.status, 400, "{elsewhere}");
    }
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let client = Client::register(&stack).await;
    client.obtain_code(&mut browser).await;
    stack.advance(12 * 3600);
    let url = client.authorize_url(&client.authorize_parameters());
    assert_eq!(browser.open(&url).await.url.path(), "/sign-in");
}

#[tokio::test]
async fn an_outage_of_github_is_said_to_be_one() {
    let no_provider =
        ["--github-base-url", "http://localhost:1", "--github-api-url", "http://localhost:1"];
    let stack = Stack::start_with(&no_provider, &[]).await;
    let mut browser = Browser::default();
    let page = browser.open(&stack.at("/sign-in")).await;
    let at_github = browser.send_form(&page, "/sign-in/github").await;
    let state = at_github.query("state").unwrap();
    let page =
        browser.open(&stack.at(&format!("/sign-in/github/callback?code=1&state={state}"))).await;
    assert_eq!((page.status.as_u16(), page.header("retry-after")), (503, "5"));
    assert!(page.text().contains("provider is not responding"), "{}", page.text());
}

#[tokio::test]
async fn a_code_that_github_does_not_know_signs_nobody_in() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let page = browser.open(&stack.at("/sign-in")).await;
    let at_github = browser.send_form(&page, "/sign-in/github").await;
    let state = at_github.query("state").unwrap();
    let page =
        browser.open(&stack.at(&format!("/sign-in/github/callback?code=1&state={state}"))).await;
    assert!(page.text().contains("upstream_refused"), "{}", page.text());
}

#[tokio::test]
async fn a_second_tab_restarts_the_wait_of_the_browser() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let page = browser.open(&stack.at("/sign-in")).await;
    browser.send_form(&page, "/sign-in/github").await;
    let cookie = browser.cookies_for(&stack.issuer);
    stack.advance(590);
    let second = http().post(stack.at("/sign-in/github")).header("cookie", &cookie);
    let renewed = Answer::of(second.form(&[("continue", "/")])).await.headers;
    let renewed = renewed["set-cookie"].to_str().unwrap();
    assert!(renewed.starts_with(&format!("{cookie};")), "{renewed}");
    assert!(renewed.contains("Max-Age=600"), "{renewed}");
}

#[tokio::test]
async fn a_cookie_that_is_none_of_ours_is_replaced() {
    let stack = Stack::start().await;
    for value in ["chosen-by-somebody", "pcb_", "pcs_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE"] {
        let cookie = format!("portcullis-browser={value}");
        let request = http().post(stack.at("/sign-in/github")).header("cookie", cookie);
        let answer = Answer::of(request.form(&[("continue", "/")])).await;
        let fresh = answer.headers["set-cookie"].to_str().unwrap();
        assert!(fresh.contains("=pcb_") && !fresh.contains(&format!("={value};")), "{fresh}");
    }
}

#[tokio::test]
async fn words_of_an_upstream_are_never_shown() {
    let stack = Stack::start().await;
    let mut browser = Browser::default();
    let page = browser.open(&stack.at("/sign-in")).await;
    let at_github = browser.send_form(&page, "/sign-in/github").await;
    let state = at_github.query("state").unwrap();
    for error in ["<script>alert(1)</script>", "\u{1b}[2Jalert(1)", "alert(1)\u{202e}"] {
        let answer = [("error", error), ("error_description", error), ("state", state.as_str())];
        let place = stack.at("/sign-in/github/callback");
        let url = url::Url::parse_with_params(&place, answer).unwrap();
        let page = browser.open(url.as_str()).await;
        assert_eq!(page.status, 502, "{}", page.text());
        assert!(page.text().contains("upstream_refused"), "{}", page.text());
        assert!(!page.html.contains("alert"), "{}", page.html);
        assert!(!page.html.contains("\u{1b}") && !page.html.contains("\u{202e}"));
        let request = http().get(url.as_str()).header("accept", "application/json");
        let told = request.header("cookie", browser.cookies_for(&stack.issuer));
        let told = Answer::of(told).await;
        assert_eq!(told.text("error"), "server_error", "{}", told.json);
        assert!(!told.json.to_string().contains("alert"), "{}", told.json);
    }
}

#[tokio::test]
async fn an_unverified_email_address_is_not_used() {
    let stack = Stack::start().await;
    let client = Client::register(&stack).await;
    for (name, email) in [("Unverified Person", None), ("Person", Some("person@example.com"))] {
        let mut browser = Browser::default();
        let page = browser.open(&client.authorize_url(&client.authorize_parameters())).await;
        let page = browser.send_form(&page, "/sign-in/github").await;
        let typed = [("typed", "", false), ("typed", name, true)];
        let page = browser.press_after(&page, ("user", "typed"), &typed).await;
        let page = browser.press(&page, "decision", "allow").await;
        let tokens = client.post("/token", &client.code_form(&page.query("code").unwrap())).await;
        let claims = access_token::claims(tokens.text("access_token"));
        assert_eq!((claims["name"].as_str(), claims["email"].as_str()), (Some(name), email));
    }
}
