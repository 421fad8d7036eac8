//! What the consent page shows, and what it never shows.

use super::*;
use crate::{
    client_details::OwnPages,
    samples::{self, frame},
};

fn named(name: &str) -> ConsentPage {
    let mut page = samples::consent();
    page.client.name = name.to_owned();
    page
}

fn html(page: &ConsentPage) -> String {
    page.render(&frame())
}

#[test]
fn hostile_names_are_text_and_nothing_else() {
    for (name, harmful) in [
        ("<script>window.x=1</script>", "<script"),
        ("</title><img src=x onerror=alert(1)>", "<img src=x"),
        ("<!--", "<!--\u{2069}"),
        ("safe\u{202e}gpj.exe", "\u{202e}"),
        ("Cla\u{200b}ude", "\u{200b}"),
        ("\u{2066}x\u{2069}\u{2067}y", "\u{2067}"),
        ("flag\u{e0067}\u{e007f}", "\u{e0067}"),
    ] {
        assert!(!html(&named(name)).contains(harmful), "{name}");
    }
    assert!(html(&named("<b>Bold</b>")).contains("&lt;b&gt;Bold"));
}

#[test]
fn a_long_name_is_cut_and_stays_on_one_line() {
    let page = html(&named(&"a long name ".repeat(170)));
    assert!(page.contains('…') && !page.contains(&"a long name ".repeat(6)));
    assert!(html(&named("GitHub\n\nVerified by us ✓")).contains("GitHub Verified by us ✓"));
}

#[test]
fn a_name_of_emoji_is_shown_and_one_of_nothing_is_said_to_be_none() {
    assert!(html(&named("🚀👩‍🚀")).contains("🚀👩"));
    assert!(html(&named("\u{200b}")).contains(frame().text.no_name));
}

#[test]
fn a_proven_host_leads_and_the_name_is_only_quoted() {
    let mut page = samples::consent();
    page.client.host = Some("claude.ai".to_owned());
    let html = html(&page);
    let heading = html.split("<h1>").nth(1).and_then(|rest| rest.split("</h1>").next());
    let heading = heading.expect("a heading");
    assert!(heading.contains("claude.ai") && !heading.contains(&page.client.name));
    assert!(html.contains(&page.client.self_declared_name(&frame()).expect("a line")));
}

#[test]
fn each_warning_appears_for_its_own_reason() {
    let text = frame().text;
    for (unverified, kind) in [
        (false, RedirectKind::Web),
        (true, RedirectKind::Web),
        (false, RedirectKind::Loopback),
        (true, RedirectKind::PrivateScheme),
    ] {
        let mut page = samples::consent();
        (page.client.unverified, page.redirect.kind) = (unverified, kind);
        let html = html(&page);
        assert_eq!(html.contains(text.unverified), unverified);
        assert_eq!(html.contains(text.loopback), kind == RedirectKind::Loopback);
        assert_eq!(html.contains(text.private_scheme), kind == RedirectKind::PrivateScheme);
    }
}

#[test]
fn a_name_that_claims_a_brand_is_warned_of_unless_a_host_carries_it() {
    let claim = |brand: &str| fill(frame().text.brand_claim, &[("brand", &isolated(brand))]);
    let mut page = named("Gооgle Calendar");
    assert!(html(&page).contains(&claim("Google")));
    assert!(html(&page).contains(frame().text.mixed_alphabets));
    page.client.name = "Google Calendar".to_owned();
    page.client.host = Some("calendar.google.com".to_owned());
    assert!(!html(&page).contains(&claim("Google")));
}

#[test]
fn a_host_in_other_letters_is_warned_of() {
    let mut page = samples::consent();
    assert!(!html(&page).contains(frame().text.international_host));
    page.redirect.host = "xn--ggle-0nda.example".to_owned();
    assert!(html(&page).contains(frame().text.international_host));
}

#[test]
fn only_https_pages_of_the_client_are_linked_and_nothing_is_loaded_from_them() {
    let mut page = samples::consent();
    page.client.pages = OwnPages {
        home: Some("javascript:alert(1)".to_owned()),
        policy: Some("https://client.example/privacy".to_owned()),
        terms: Some("http://client.example/terms".to_owned()),
    };
    let html = html(&page);
    assert!(html.contains(r#"href="https://client.example/privacy" rel="noopener noreferrer"#));
    assert!(!html.contains("javascript:") && !html.contains("http://client.example"));
    assert!(!html.contains("src=\"https"));
}

#[test]
fn the_answer_names_the_request_and_the_decision() {
    let html = html(&samples::consent());
    assert!(html.contains(r#"method="post" action="/consent""#));
    assert!(html.contains(r#"name="request" value="#));
    assert!(html.contains(r#"name="decision" value="allow""#));
    assert!(html.contains(r#"name="decision" value="deny""#));
}

#[test]
fn only_an_optional_scope_can_be_left_out() {
    let html = html(&samples::consent());
    assert!(html.contains(r#"type="checkbox" name="scope" value="email" checked"#), "{html}");
    assert!(!html.contains(r#"name="scope" value="mcp:tools""#));
}
