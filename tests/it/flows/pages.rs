//! Every page in every state in a real browser: accessible, in light and dark, on any screen.

use std::{collections::BTreeSet, fs};

use tests::{
    company,
    people::chromium::{Chromium, accessibility::axe_core},
    pictures::gallery::{self, COMMITTED, SCHEMES, SIZES, committed_folder, pictures},
};
use web::samples;

/// The narrowest screen that a page must fit (WCAG 2.2, success criterion 1.4.10), and a phone.
const NARROW: [u32; 2] = [320, 360];

/// Two phones and two laptops, in which all that is asked must be in view before anyone scrolls.
const VIEWS: [(u32, u32); 4] = [(390, 664), (360, 640), (1280, 720), (1366, 657)];

/// A browser at the samples, whose own policy would not let tests look into the pages.
async fn browser() -> (Chromium, String) {
    let browser = Chromium::start(true).await;
    browser.bypass_policy().await;
    (browser, gallery::serve().await)
}

#[tokio::test]
async fn no_page_violates_a_rule_of_accessibility_in_light_or_dark() {
    let (browser, base) = browser().await;
    let axe = axe_core();
    let mut violations = Vec::new();
    for sample in samples::all() {
        browser.open(&format!("{base}{}", sample.path)).await;
        browser.load(&axe).await;
        for scheme in SCHEMES {
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
async fn on_a_narrow_screen_no_page_is_too_wide_and_nothing_is_out_of_reach() {
    let (browser, base) = browser().await;
    let mut faults = Vec::new();
    for sample in samples::all() {
        browser.open(&format!("{base}{}", sample.path)).await;
        for width in NARROW {
            let beyond = browser.overflow(width).await;
            let found = browser.out_of_reach().await;
            let wide = (beyond > 0).then(|| format!("{beyond} pixels too wide"));
            let told = found.into_iter().chain(wide);
            faults.extend(told.map(|one| format!("{} {width}: {one}", sample.path)));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));

    let bad = "<!doctype html><main><a style='position:absolute;left:-99px'>x</a><p style='width:999px'>Too wide";
    browser.open(&format!("data:text/html,{bad}")).await;
    assert!(browser.overflow(320).await > 0);
    let found = browser.out_of_reach().await;
    assert!(found.iter().any(|fault| fault.starts_with("outside")), "{found:?}");
    browser.close().await;
}

#[tokio::test]
async fn on_a_phone_both_answers_are_in_sight_without_scrolling() {
    let (browser, base) = browser().await;
    browser.resize(SIZES[0]).await;
    let mut asked = 0;
    for sample in samples::all() {
        if !sample.html.contains("name=\"decision\"") {
            continue;
        }
        browser.open(&format!("{base}{}", sample.path)).await;
        for decision in ["allow", "deny"] {
            let button = format!("button[value={decision}]");
            assert!(browser.is_in_sight(&button).await, "{} {decision}", sample.path);
        }
        asked += 1;
    }
    assert!(asked > 10, "{asked} pages");
    browser.close().await;
}

#[tokio::test]
async fn all_that_is_asked_is_in_view_above_the_answers_before_anyone_scrolls() {
    let (browser, base) = browser().await;
    let mut faults = Vec::new();
    for page in ["four", "step-up", "own"].map(|page| format!("/consent/{page}")) {
        for path in ["", "/de", "/branded"].map(|prefix| format!("{prefix}{page}")) {
            browser.open(&format!("{base}{path}")).await;
            for size in VIEWS {
                browser.resize(size).await;
                let found = browser.hidden_permissions().await;
                faults.extend(found.iter().map(|one| format!("{path} at {size:?}: {one}")));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));

    let below =
        "<!doctype html><p style='height:9999px'><ul class=scopes><li>x</ul><div class=answer>";
    browser.open(&format!("data:text/html,{below}")).await;
    assert_eq!(browser.hidden_permissions().await.len(), 2);
    let after = "<!doctype html><div class=answer>y</div><ul class=scopes><li>x</ul>";
    browser.open(&format!("data:text/html,{after}")).await;
    assert_eq!(browser.hidden_permissions().await, ["after the answers: x"]);
    browser.close().await;
}

#[tokio::test]
async fn the_box_that_a_device_needs_is_in_view_next_to_the_answers() {
    let (browser, base) = browser().await;
    for path in ["/device/confirm", "/de/device/confirm", "/device/not-ticked"] {
        browser.open(&format!("{base}{path}")).await;
        for size in VIEWS {
            browser.resize(size).await;
            assert!(browser.is_in_sight("[name=started]").await, "{path} at {size:?}");
            assert!(browser.is_in_sight("button[value=allow]").await, "{path} at {size:?}");
        }
    }
    browser.close().await;
}

#[test]
fn the_committed_pictures_show_pages_that_exist_and_the_docs_show_each() {
    let taken: BTreeSet<String> = samples::all()
        .iter()
        .flat_map(|sample| pictures(sample).into_iter().map(|picture| picture.file(sample)))
        .collect();
    let committed: BTreeSet<String> = fs::read_dir(committed_folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let company = company::VISITS.iter().map(|visit| visit.picture);
    let expected = COMMITTED.into_iter().chain(company).map(str::to_owned).collect();
    assert_eq!(committed, expected, "run `make screenshots`");
    let docs = committed_folder().parent().unwrap().join("pages.md");
    let docs = fs::read_to_string(docs).unwrap();
    for name in COMMITTED {
        assert!(taken.contains(name), "no page is pictured as {name}");
        assert!(docs.contains(name), "docs/pages.md does not show {name}");
    }
}

#[tokio::test]
async fn a_picture_is_the_whole_page_at_its_width_and_the_same_each_time() {
    let browser = Chromium::start(false).await;
    browser.open(&format!("{}/account/busy", gallery::serve().await)).await;
    let [phone, desk] = SIZES;
    let narrow = browser.picture(phone, "light").await;
    let wide = browser.picture(desk, "dark").await;
    let size = |picture: &[u8]| {
        let header = [&picture[16..20], &picture[20..24]];
        header.map(|bytes| u32::from_be_bytes(bytes.try_into().unwrap()))
    };
    assert_eq!((size(&narrow)[0], size(&wide)[0]), (phone.0, desk.0));
    assert!(size(&narrow)[1] > 2 * phone.1, "not the whole page: {:?}", size(&narrow));
    assert!(narrow.len() < 200_000, "{} bytes", narrow.len());
    assert!(narrow == browser.picture(phone, "light").await);
    browser.close().await;
}
