//! `client doctor` finds what is wrong with a server, and invents nothing.

use std::collections::BTreeSet;

use futures::{StreamExt, stream};
use serde_json::Value;
use tests::{
    browser::Browser,
    client::http,
    command_line::{CommandLine, Outcome},
    seeded::Seeded,
    stack::Stack,
};

/// What a flaw breaks besides the check it is named after, where one thing cannot be wrong alone.
const CONSEQUENCES: [(&str, &[&str]); 9] = [
    (
        "resource.found",
        &["resource.announced_place", "resource.inserted_place", "resource.root_place"],
    ),
    ("resource.available", &["resource.root_place"]),
    ("resource.offline_access", &["server.scopes"]),
    ("redirects.none", &["resource.root_place"]),
    ("server.found", &["server.oauth_place", "server.openid_place"]),
    ("server.available", &["server.openid_place"]),
    ("server.identity", &["server.metadata_documents", "server.registration"]),
    ("token.error_shape", &["token.without_grant"]),
    ("sign_in.refresh", &["sign_in.refresh_twice"]),
];
/// A client refuses plain http to other machines before it sends anything.
const CANNOT_BE_SEEDED: [&str; 1] = ["tls.used"];
/// Examinations at once.
const AT_ONCE: usize = 4;

/// Examines the server with a sign-in.
async fn examine(seeded: &Seeded) -> Outcome {
    let person = CommandLine::of(&seeded.server, &seeded.issuer);
    let waiting = person.begin(&["--json", "doctor", "--strict", "--sign-in"]).await;
    let page = http().get(&waiting.url).send().await.unwrap().text().await.unwrap();
    http().get(page).send().await.unwrap();
    waiting.finish().await
}

/// Examines it from outside.
async fn examine_from_outside(seeded: &Seeded) -> Outcome {
    let person = CommandLine::of(&seeded.server, &seeded.issuer);
    person.run(&["--json", "doctor", "--strict"]).await
}

fn named(outcome: &Outcome, wanted: &str) -> BTreeSet<String> {
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap_or_default();
    let checks = report["checks"].as_array().cloned().unwrap_or_default();
    assert!(!checks.is_empty(), "{outcome:?}");
    let wanted = checks.iter().filter(|check| check["outcome"] == wanted);
    wanted.filter_map(|check| check["name"].as_str().map(str::to_owned)).collect()
}

async fn names_of_all_checks() -> (BTreeSet<String>, BTreeSet<String>) {
    let outcome = examine(&Seeded::start("").await).await;
    assert_eq!(named(&outcome, "failed"), BTreeSet::new());
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    (named(&outcome, "passed"), named(&outcome, "skipped"))
}

#[tokio::test]
async fn a_server_without_a_flaw_passes_every_check_of_the_doctor() {
    let (passed, skipped) = names_of_all_checks().await;
    assert_eq!(skipped, BTreeSet::new());
    assert!(passed.len() >= 40, "{}", passed.len());
}

#[tokio::test]
async fn every_check_of_the_doctor_finds_its_flaw_and_nothing_else() {
    let (names, _) = names_of_all_checks().await;
    let seeds = names.iter().filter(|name| !CANNOT_BE_SEEDED.contains(&name.as_str()));
    let wrong = stream::iter(seeds).map(|name| complaint(name)).buffer_unordered(AT_ONCE);
    let wrong: Vec<_> = wrong.filter_map(std::future::ready).collect().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with the report about the flaw called `name`.
async fn complaint(name: &str) -> Option<String> {
    let flaw: &'static str = String::from(name).leak();
    let seeded = Seeded::start(flaw).await;
    let outcome = match name.starts_with("sign_in.") {
        true => examine(&seeded).await,
        false => examine_from_outside(&seeded).await,
    };
    let further = CONSEQUENCES.iter().find(|(known, _)| *known == name);
    let further = further.map(|(_, further)| *further).unwrap_or_default();
    let expected: BTreeSet<_> =
        further.iter().chain([&flaw]).map(|name| (*name).to_owned()).collect();
    let found = named(&outcome, "failed");
    (found != expected).then(|| format!("{name}: found {found:?}, expected {expected:?}"))
}

#[tokio::test]
async fn a_flaw_is_told_with_consequence_fix_and_section_and_ends_with_status_1() {
    let seeded = Seeded::start("resource.trailing_slash").await;
    let person = CommandLine::of("http://localhost:1/mcp", &seeded.issuer);
    let outcome = person.run(&["doctor", &seeded.server]).await;
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    for words in ["✗ resource ends as", "/mcp/ for http", "so       TypeScript SDK", "fix ", "9728"]
    {
        assert!(outcome.stdout.contains(words), "{words}: {}", outcome.stdout);
    }
    assert!(outcome.stdout.ends_with("not judged\n"), "{}", outcome.stdout);
}

#[tokio::test]
async fn a_warning_counts_only_where_it_is_asked_for() {
    let seeded = Seeded::start("challenge.scheme").await;
    let person = CommandLine::of(&seeded.server, &seeded.issuer);
    assert_eq!(person.run(&["doctor"]).await.code, 0);
    assert_eq!(person.run(&["doctor", "--strict"]).await.code, 1);
}

#[tokio::test]
async fn a_server_that_nobody_answers_for_is_unreachable_not_ill() {
    let person = CommandLine::of("http://127.0.0.1:1/mcp", "");
    let outcome = person.run(&["--json", "doctor"]).await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (3, ""));
}

#[tokio::test]
async fn the_doctor_finds_nothing_wrong_with_this_stack() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    let waiting = person.begin(&["--json", "doctor", "--strict", "--sign-in"]).await;
    let mut browser = Browser::default();
    let page = browser.open(&waiting.url).await;
    let page = browser.send_form(&page, "/sign-in/github").await;
    let page = browser.press(&page, "user", "nick-lucas").await;
    browser.press(&page, "decision", "allow").await;
    let outcome = waiting.finish().await;
    assert_eq!(named(&outcome, "failed"), BTreeSet::new(), "{}", outcome.stdout);
    assert_eq!(named(&outcome, "skipped"), BTreeSet::new(), "{}", outcome.stdout);
    assert_eq!(outcome.code, 0);
}
