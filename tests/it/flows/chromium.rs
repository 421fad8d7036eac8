//! The pages in a real browser: what a header assertion cannot see.

use tests::{people::chromium::Chromium, programs::command_line::CommandLine, stack::Stack};
use url::Url;

#[tokio::test]
async fn a_person_signs_in_and_consents_in_a_real_browser_and_the_command_line_greets_them() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    let waiting = person.begin(&["call", "echo", "message=ping pong"]).await;
    let browser = Chromium::start(true).await;

    browser.open(&waiting.url).await;
    browser.read("form[action='/sign-in/github']").await;
    browser.press("form[action='/sign-in/github'] button").await;
    browser.press("button[value='nick-lucas']").await;

    browser.read("form[action='/consent']").await;
    browser.press("form > details summary").await;
    let text = browser.read("main").await;
    let redirect_host = redirect_host(&waiting.url);
    for shown in ["Portcullis client", &redirect_host, "Nick Lucas", "MCP demo"] {
        assert!(text.contains(shown), "{shown} is missing in: {text}");
    }
    assert!(text.contains("Unverified program on this computer"), "{text}");
    assert!(!text.contains("mentions"), "our own client is accused of its name: {text}");
    browser.press("button[name='decision'][value='allow']").await;
    browser.wait_for_heading("Back to the terminal").await;

    let outcome = waiting.finish().await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, "Hello Nick Lucas: ping pong\n"));
    browser.close().await;
}

/// Host and port that a request for authorization wants its answer sent to.
fn redirect_host(authorization_url: &str) -> String {
    let url = Url::parse(authorization_url).unwrap();
    let redirect_uri = url.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1;
    Url::parse(&redirect_uri).unwrap().authority().to_owned()
}

#[tokio::test]
async fn without_javascript_a_person_can_deny() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    let waiting = person.begin(&["login"]).await;
    let browser = Chromium::start(false).await;

    browser.open(&waiting.url).await;
    browser.press("form[action='/sign-in/github'] button").await;
    browser.press("button[value='nick-lucas']").await;
    browser.press("button[name='decision'][value='deny']").await;
    browser.wait_for_heading("Nothing was allowed").await;

    let outcome = waiting.finish().await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (4, ""), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("you refused access"), "{}", outcome.stderr);
    browser.close().await;
}
