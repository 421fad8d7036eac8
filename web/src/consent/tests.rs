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
    let name = frame().text.quoted(&page.client.name);
    assert!(html.contains(&fill(frame().text.calls_itself, &[("client", &name)])));
}

#[test]
fn permissions_come_first_and_the_answers_last() {
    for page in [samples::consent(), stepped_up()] {
        let html = html(&page);
        let at = |part: &str| html.find(part).unwrap_or_else(|| panic!("{part}: {html}"));
        let parts = ["<h1>", r#"<ul class="scopes">"#, r#"class="asks""#, "nick@", "notice"];
        let places = parts.map(at);
        assert!(places.is_sorted(), "{places:?}");
        let answers = at(r#"class="answer""#);
        assert!(html.rfind(r#"<ul class="scopes">"#) < html.find("notice"));
        assert!(html.rfind("notice").is_some_and(|last| last < answers));
    }
}

/// Two scopes were allowed before, one of them optional; two are new.
fn stepped_up() -> ConsentPage {
    let mut page = samples::consent();
    page.scopes.push(ScopeLine {
        name: "files:delete".to_owned(),
        description: Some("Delete files".to_owned()),
        sensitive: true,
        optional: true,
    });
    page.allowed_before = vec!["mcp:tools".to_owned(), "profile".to_owned()];
    page
}

#[test]
fn a_step_up_shows_what_is_new_and_folds_what_was_allowed_before() {
    let html = html(&stepped_up());
    let (shown, rest) = html.split_once("<details>").expect("a fold");
    let (folded, _) = rest.split_once("</details>").expect("its end");
    assert!(shown.contains(r#"value="email" checked"#) && shown.contains("files:delete"));
    assert!(folded.contains(r#"value="profile" checked"#) && folded.contains("Use the tools"));
    assert!(!shown.contains("profile") && !folded.contains("Delete files"));
    assert!(shown.contains(frame().text.also_your_choice), "{shown}");
    let question = fill(frame().text.allow_more, &[("client", "x"), ("resource", "y")]);
    let words = question.split("x").next().expect("words");
    assert!(shown.contains(words), "{shown}");
}

#[test]
fn nothing_is_folded_where_all_or_nothing_was_allowed_before() {
    let mut page = samples::consent();
    let all: Vec<String> = page.scopes.iter().map(|line| line.name.clone()).collect();
    for before in [Vec::new(), vec!["files:other".to_owned()], all] {
        page.allowed_before = before;
        let html = html(&page);
        let (shown, _) = html.split_once("<details>").expect("technical details");
        assert!(shown.contains("Use the tools") && shown.contains(r#"value="email" checked"#));
    }
}

#[test]
fn a_sensitive_scope_comes_first_and_is_not_ticked_for_the_person() {
    let mut page = stepped_up();
    page.allowed_before.clear();
    let among_others = html(&page);
    assert!(among_others.contains(r#"name="scope" value="files:delete">"#), "{among_others}");
    assert!(among_others.find("Delete files") < among_others.find("See your name"));

    page.scopes.retain(|line| line.name == "files:delete");
    let alone = html(&page);
    assert!(alone.contains(r#"name="scope" value="files:delete" required"#), "{alone}");
    page.scopes.insert(0, ScopeLine::standard("openid"));
    page.allowed_before = vec!["openid".to_owned()];
    assert!(html(&page).contains(r#"name="scope" value="files:delete" required"#));
}

#[test]
fn our_own_client_is_not_accused_of_its_name_and_no_site_may_borrow_it() {
    let mut page = named("Portcullis client");
    let claim = fill(frame().text.brand_claim, &[("brand", &isolated("Portcullis"))]);
    assert!(!html(&page).contains(&claim));
    page.redirect.kind = RedirectKind::Web;
    assert!(html(&page).contains(&claim));
    page.redirect.kind = RedirectKind::Loopback;
    page.client.name = "Portcullis client support".to_owned();
    assert!(html(&page).contains(&claim));
}

#[test]
fn each_caution_appears_for_its_own_reason() {
    let text = frame().text;
    for (unverified, kind, caution) in [
        (false, RedirectKind::Web, None),
        (true, RedirectKind::Web, Some(text.any_name)),
        (false, RedirectKind::Loopback, Some(text.started_here)),
        (true, RedirectKind::Loopback, Some(text.any_name_here)),
        (true, RedirectKind::PrivateScheme, Some(text.private_scheme)),
    ] {
        let mut page = samples::consent();
        (page.client.unverified, page.redirect.kind) = (unverified, kind);
        let html = html(&page);
        let host = isolated(&page.redirect.host);
        let caution = caution.map(|sentence| fill(sentence, &[("host", &host)]));
        assert_eq!(html.matches("class=\"notice").count(), usize::from(caution.is_some()));
        assert!(caution.is_none_or(|sentence| html.contains(&format!("<p>{sentence}</p>"))));
        assert_eq!(html.contains(text.unverified_program), unverified);
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
