//! Every page in every state in a real browser: accessible, in light and dark, on any screen.

use std::net::Ipv4Addr;

use tests::chromium::{Chromium, accessibility::axe_core};
use tokio::net::TcpListener;
use web::samples;

const WIDE: (u32, u32) = (1280, 900);
const PHONE: (u32, u32) = (360, 740);

/// Serves the samples as `cargo run -p web` does; their base address.
async fn preview() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, web::preview::router()).await });
    format!("http://localhost:{port}")
}

#[tokio::test]
async fn no_page_violates_a_rule_of_accessibility_in_light_or_dark() {
    let (base, axe) = (preview().await, axe_core());
    let browser = Chromium::start(true).await;
    browser.bypass_policy().await;
    let mut violations = Vec::new();
    for sample in samples::all().iter().filter(|sample| is_judged(&sample.path)) {
        browser.open(&format!("{base}{}", sample.path)).await;
        browser.load(&axe).await;
        for scheme in ["light", "dark"] {
            browser.prefer(scheme).await;
            let found = browser.violations().await;
            violations.extend(found.iter().map(|one| format!("{} {scheme}: {one}", sample.path)));
        }
    }
    assert!(violations.is_empty(), "{}", violations.join("\n"));

    browser.open("data:text/html,<p style='color:%23ccc'>Faint words").await;
    browser.load(&axe).await;
    let faults = browser.violations().await;
    assert!(faults.iter().any(|fault| fault.starts_with("color-contrast")), "{faults:?}");
    browser.close().await;
}

#[tokio::test]
async fn no_page_is_wider_than_the_narrowest_screen_in_any_language() {
    let base = preview().await;
    let browser = Chromium::start(true).await;
    browser.bypass_policy().await;
    for sample in samples::all() {
        browser.open(&format!("{base}{}", sample.path)).await;
        let beyond = browser.overflow_on_the_narrowest_screen().await;
        assert!(beyond <= 0, "{} is {beyond} pixels too wide", sample.path);
    }
    browser.close().await;
}

#[tokio::test]
async fn on_a_phone_both_answers_are_in_sight_without_scrolling() {
    let base = preview().await;
    let browser = Chromium::start(true).await;
    browser.bypass_policy().await;
    browser.resize(PHONE).await;
    for sample in samples::all() {
        if !sample.html.contains("name=\"decision\"") {
            continue;
        }
        browser.open(&format!("{base}{}", sample.path)).await;
        for decision in ["allow", "deny"] {
            let button = format!("button[value={decision}]");
            assert!(browser.is_in_sight(&button).await, "{} {decision}", sample.path);
        }
    }
    browser.close().await;
}

#[tokio::test]
async fn pictures_of_every_page_are_taken_where_they_are_wanted() {
    let base = preview().await;
    let browser = Chromium::start(false).await;
    for sample in samples::all().iter().filter(|sample| is_pictured(&sample.path)) {
        browser.open(&format!("{base}{}", sample.path)).await;
        let name = sample.path.trim_start_matches('/').replace('/', "-");
        for scheme in ["light", "dark"] {
            for (width, height) in [PHONE, WIDE] {
                browser.picture(&format!("{name}-{width}-{scheme}"), (width, height), scheme).await;
            }
        }
    }
    browser.close().await;
}

/// Another language changes words alone, and another brand colours alone: of those, the pages that
/// have everything are judged. All are measured.
fn is_judged(path: &str) -> bool {
    let everything = ["/sign-in", "/consent/hosted", "/device/confirm", "/account", "/error"];
    let varied = path.strip_prefix("/de").or_else(|| path.strip_prefix("/branded"));
    varied.is_none_or(|page| everything.contains(&page) || !page.starts_with('/'))
}

/// Of the errors, which differ in their words alone, one picture is enough; of another language
/// and another brand, one page.
fn is_pictured(path: &str) -> bool {
    match path {
        "/error" | "/error/redirect" | "/de/consent" | "/branded/consent" => true,
        _ => !["/error/", "/de/", "/branded/"].iter().any(|start| path.starts_with(start)),
    }
}
