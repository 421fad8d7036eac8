//! `client doctor` finds what is wrong with a server, and invents nothing.

use std::collections::BTreeSet;

use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tests::{
    programs::{
        client::http,
        command_line::{CommandLine, Outcome},
    },
    servers::seeded::{Registered, Seeded, VARIANTS, Variant},
    stack::Stack,
};

/// Checks that a flaw fails in addition to the one it is named after.
const CONSEQUENCES: [(&str, &[&str]); 5] = [
    ("server.endpoint_origin", &["server.iss"]),
    ("sign_in.foreign_token", &["sign_in.foreign_resource"]),
    ("resource.offline_access", &["server.scopes"]),
    ("server.identity", &["server.metadata_documents", "server.registration"]),
    ("token.error_shape", &["token.without_grant"]),
];
/// A server without a flaw gives no client a secret, so nothing is to be said of its expiry, and no
/// token for another resource, with which it could be tried.
const NOT_JUDGED: [&str; 2] = ["registration.secret_expiry", "sign_in.foreign_token"];
/// A client refuses plain http to other machines before it sends anything.
const CANNOT_BE_SEEDED: [&str; 1] = ["tls.used"];
/// Examinations at once.
const AT_ONCE: usize = 4;

/// Examines the server with a sign-in, and with further options.
async fn examine_with(seeded: &Seeded, further: &[&str]) -> Outcome {
    let person = CommandLine::of(&seeded.server, &seeded.issuer);
    let arguments = [&["--json", "doctor", "--strict", "--sign-in"], further].concat();
    let waiting = person.begin(&arguments).await;
    allow(seeded, &waiting.url).await;
    waiting.finish().await
}

/// Examines the server with a sign-in.
async fn examine(seeded: &Seeded) -> Outcome {
    examine_with(seeded, &[]).await
}

/// Goes where each page and each redirect leads, until that is the client's own page.
async fn allow(seeded: &Seeded, start: &str) {
    let mut address = start.to_owned();
    while address.starts_with(&seeded.issuer) {
        let answer = http().get(&address).send().await.unwrap();
        let location = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
        address = match location {
            Some(location) => answer.url().join(&location).unwrap().into(),
            None => answer.text().await.unwrap(),
        };
    }
    http().get(address).send().await.unwrap();
}

/// Examines it from outside.
async fn examine_from_outside(seeded: &Seeded) -> Outcome {
    let person = CommandLine::of(&seeded.server, &seeded.issuer);
    person.run(&["--json", "doctor", "--strict"]).await
}

/// The same of someone who knows where its users sign in.
async fn examine_with_issuer(seeded: &Seeded) -> Outcome {
    let person = CommandLine::of(&seeded.server, &seeded.issuer);
    let expected = ["--expect-issuer", &seeded.issuer];
    person.run(&[&["--json", "doctor", "--strict"][..], &expected].concat()).await
}

fn named(outcome: &Outcome, wanted: &str) -> BTreeSet<String> {
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap_or_default();
    let checks = report["checks"].as_array().cloned().unwrap_or_default();
    assert!(!checks.is_empty(), "{outcome:?}");
    let wanted = checks.iter().filter(|check| check["outcome"] == wanted);
    wanted.filter_map(|check| check["name"].as_str().map(str::to_owned)).collect()
}

async fn names_of_all_checks() -> (BTreeSet<String>, BTreeSet<String>) {
    let seeded = Seeded::start("").await;
    let outcome = examine_with(&seeded, &["--expect-issuer", &seeded.issuer]).await;
    assert_eq!(named(&outcome, "failed"), BTreeSet::new());
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    (named(&outcome, "passed"), named(&outcome, "skipped"))
}

#[tokio::test]
async fn a_server_without_a_flaw_passes_every_check_of_the_doctor() {
    let (passed, skipped) = names_of_all_checks().await;
    assert_eq!(skipped, BTreeSet::from(NOT_JUDGED.map(str::to_owned)));
    assert!(passed.len() >= 40, "{}", passed.len());
}

#[tokio::test]
async fn every_check_of_the_doctor_finds_its_flaw_and_nothing_else() {
    let (passed, skipped) = names_of_all_checks().await;
    let names = &passed | &skipped;
    let seeds = names.iter().filter(|name| !CANNOT_BE_SEEDED.contains(&name.as_str()));
    let wrong = stream::iter(seeds).map(|name| complaint(name)).buffer_unordered(AT_ONCE);
    let wrong: Vec<_> = wrong.filter_map(std::future::ready).collect().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with the report about the flaw called `name`.
async fn complaint(name: &str) -> Option<String> {
    let flaw: &'static str = String::from(name).leak();
    let seeded = Seeded::start(flaw).await;
    let outcome = if name.starts_with("sign_in.") {
        examine(&seeded).await
    } else if name == "issuer.expected" {
        examine_with_issuer(&seeded).await
    } else {
        examine_from_outside(&seeded).await
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
    for words in [
        "✗ The resource and the address differ by a slash at the end [error, resource.",
        "/mcp/ for http",
        "so       TypeScript SDK",
        "fix ",
        "9728",
        "✗ locked out  Codex 0.153.4, TypeScript SDK 1.32.2, TypeScript SDK 2.4.0, ",
    ] {
        assert!(outcome.stdout.contains(words), "{words}: {}", outcome.stdout);
    }
    assert!(!outcome.stdout.contains("✓ A call without"), "{}", outcome.stdout);
    assert!(outcome.stdout.ends_with("(--all shows every check)\n"), "{}", outcome.stdout);
    let all = person.run(&["doctor", "--all", &seeded.server]).await.stdout;
    assert!(all.contains("\n✓ A call without a token is answered 401\n"), "{all}");
    assert!(all.ends_with("not judged\n"), "{all}");
}

/// Which clients a flaw locks out, as it was seen when they ran against a server with that flaw.
const LOCKED_OUT: [(&str, &[&str]); 7] = [
    ("issuer.announced_slash", &["Python SDK 2.3.0", "FastMCP 4.1.2"]),
    (
        "issuer.own_slash",
        &[
            "TypeScript SDK 2.4.0",
            "Python SDK 2.3.0",
            "FastMCP 4.1.2",
            "Inspector 2.12.0",
            "mcp-remote 0.15.1",
        ],
    ),
    (
        "resource.trailing_slash",
        &[
            "Codex 0.153.4",
            "TypeScript SDK 1.32.2",
            "TypeScript SDK 2.4.0",
            "Inspector 2.12.0",
            "mcp-remote 0.15.1",
            "rmcp 3.11.0",
        ],
    ),
    ("resource.exact", &["Gemini CLI 2026-05", "VS Code 2026-08"]),
    (
        "resource.no_null",
        &["TypeScript SDK 1.32.2", "TypeScript SDK 2.4.0", "Inspector 2.12.0", "mcp-remote 0.15.1"],
    ),
    ("server.endpoint_origin", &["Codex 0.153.4"]),
    ("cors.mcp", &[]),
];

#[tokio::test]
async fn a_flaw_locks_out_the_clients_that_were_seen_to_fail_and_no_others() {
    for (flaw, expected) in LOCKED_OUT {
        let report = examine_from_outside(&Seeded::start(flaw).await).await;
        let report: Value = serde_json::from_str(&report.stdout).unwrap();
        let clients = report["clients"].as_array().unwrap();
        assert_eq!(clients.len(), 14);
        let locked_out = clients.iter().filter(|client| client["verdict"] == "locked_out");
        let text = |client: &Value, member: &str| client[member].as_str().unwrap().to_owned();
        let named = locked_out
            .map(|client| format!("{} {}", text(client, "name"), text(client, "version")));
        let named: Vec<_> = named.collect();
        assert_eq!(named, expected, "{flaw}");
    }
}

#[tokio::test]
async fn what_to_fix_first_is_said_where_there_is_a_choice() {
    let seeded = Seeded::start("server.identity").await;
    let person = CommandLine::of(&seeded.server, &seeded.issuer);
    assert!(!person.run(&["doctor"]).await.stdout.contains("Fix first"));
    let seeded = Seeded::start("server.reachable").await;
    let person = CommandLine::of(&seeded.server, "");
    let report = person.run(&["doctor", "--expect-issuer", "https://as.example"]).await.stdout;
    let first = "Fix first\n  1  find out who changed authorization_servers";
    assert!(report.contains(first), "{report}");
    assert!(report.contains("\n  2  start the authorization server"), "{report}");
}

#[tokio::test]
async fn programs_read_the_report_as_sarif_and_as_junit() {
    let seeded = Seeded::start("challenge.scheme").await;
    let person = CommandLine::of(&seeded.server, &seeded.issuer);
    let outcome = person.run(&["doctor", "--format", "sarif"]).await;
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let sarif: Value = serde_json::from_str(&outcome.stdout).unwrap();
    let run = &sarif["runs"][0];
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(run["results"][0]["ruleId"], "challenge.scheme");
    assert_eq!(run["results"][0]["level"], "warning");
    assert_eq!(run["results"].as_array().unwrap().len(), 1);
    assert!(run["tool"]["driver"]["rules"].as_array().unwrap().len() > 130);

    let junit = person.run(&["doctor", "--format", "junit"]).await;
    assert_eq!(junit.code, 0);
    assert!(junit.stdout.contains(" failures=\"0\""), "{}", junit.stdout);
    assert!(junit.stdout.contains("name=\"challenge.scheme\"><system-out>warning"));
    let junit = person.run(&["doctor", "--strict", "--format", "junit"]).await;
    assert_eq!(junit.code, 1);
    assert!(junit.stdout.contains(" failures=\"1\""), "{}", junit.stdout);
    let failure = "name=\"challenge.scheme\"><failure type=\"warning\" message=\"The scheme";
    assert!(junit.stdout.contains(failure), "{}", junit.stdout);
    assert!(junit.stdout.trim_end().ends_with("</testsuites>"));
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
    let arguments = ["--json", "doctor", "--strict", "--sign-in", "--expect-issuer", &stack.issuer];
    let outcome = person.sign_in(&arguments).await;
    // A server for this machine alone cannot reach the documents of clients.
    let advice = BTreeSet::from(["server.metadata_documents".to_owned()]);
    assert_eq!(named(&outcome, "failed"), advice, "{}", outcome.stdout);
    let not_judged = BTreeSet::from(NOT_JUDGED.map(str::to_owned));
    assert_eq!(named(&outcome, "skipped"), not_judged, "{}", outcome.stdout);
    assert_eq!(outcome.code, 0);
}

#[tokio::test]
async fn the_doctor_finds_nothing_wrong_with_a_server_that_is_right_in_another_way() {
    let wrong = stream::iter(VARIANTS).map(accusation).buffer_unordered(AT_ONCE);
    let wrong: Vec<_> = wrong.filter_map(std::future::ready).collect().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the report accuses the variant of.
async fn accusation(variant: &Variant) -> Option<String> {
    let seeded = Seeded::start(variant.name).await;
    let outcome =
        if variant.signs_in { examine(&seeded).await } else { examine_from_outside(&seeded).await };
    let Variant { name, about, .. } = variant;
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap_or_default();
    let failed = named(&outcome, "failed");
    let accused: Vec<_> = report["checks"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|check| check["outcome"] == "failed")
        .filter(|check| {
            check["severity"] != "advice"
                || variant.checks.iter().any(|subject| check["name"] == *subject)
        })
        .map(|check| format!("{} ({})", check["name"], check["found"]))
        .collect();
    let is_right = accused.is_empty() && outcome.code == 0;
    (!is_right).then(|| format!("{name}, though {about}: {accused:?} of {failed:?}"))
}

#[tokio::test]
async fn every_check_has_a_server_that_is_right_in_another_way() {
    let (passed, skipped) = names_of_all_checks().await;
    let tried: BTreeSet<_> =
        VARIANTS.iter().flat_map(|variant| variant.checks).map(|name| (*name).to_owned()).collect();
    let known = &passed | &skipped;
    assert_eq!(&tried - &known, BTreeSet::new(), "no such check");
    let exempt = BTreeSet::from(CANNOT_BE_SEEDED.map(str::to_owned));
    assert_eq!(&(&known - &tried) - &exempt, BTreeSet::new(), "no other right server");
}

#[tokio::test]
async fn one_client_is_registered_announced_and_deleted_again() {
    let seeded = Seeded::start("").await;
    let outcome = examine(&seeded).await;
    // Two of the three must be refused, and were.
    assert_eq!(seeded.registered(), Registered { asked: 3, accepted: 1, deleted: 1 });
    let announced = format!("registering a client at {}/register", seeded.issuer);
    assert!(outcome.stderr.contains(&announced), "{}", outcome.stderr);
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(report["registered"][0]["deleted"], true, "{report}");
    assert_eq!(report["registered"].as_array().unwrap().len(), 1);

    let person = CommandLine::of(&seeded.server, &seeded.issuer);
    let report = person.run(&["doctor"]).await.stdout;
    let told = format!("at {}/register and deleted it again.", seeded.issuer);
    assert!(report.contains(&told), "{report}");
}

#[tokio::test]
async fn a_client_that_cannot_be_deleted_is_named() {
    let seeded = Seeded::start("one_redirect_uri").await;
    let person = CommandLine::of(&seeded.server, &seeded.issuer);
    let report = person.run(&["doctor"]).await.stdout;
    assert_eq!(seeded.registered().deleted, 0);
    assert!(report.contains("could not delete it: the server offers no way"), "{report}");
}

#[tokio::test]
async fn clients_are_deleted_again_even_if_nobody_signs_in() {
    let seeded = Seeded::start("").await;
    let person = CommandLine::of(&seeded.server, &seeded.issuer);
    let outcome = person.run(&["--json", "--sign-in-timeout", "1", "doctor", "--sign-in"]).await;
    let registered = seeded.registered();
    assert_eq!((registered.accepted, registered.deleted), (1, 1));
    assert!(!named(&outcome, "failed").contains("sign_in.answer"), "{}", outcome.stdout);
}

#[tokio::test]
async fn what_could_not_be_judged_says_why() {
    let seeded = Seeded::start("sign_in_first").await;
    let person = CommandLine::of(&seeded.server, &seeded.issuer);
    let report = person.run(&["doctor", "--all"]).await.stdout;
    let line = "? not judged, because it goes on as a valid request does, and may be refused after \
                the sign-in: authorize.needs_pkce, authorize.no_plain";
    assert!(report.contains(line), "{report}");
    assert!(report.contains("? not judged, because nobody signed in"), "{report}");
}

#[tokio::test]
async fn https_on_a_port_of_plain_http_is_named() {
    let seeded = Seeded::start("").await;
    let person = CommandLine::of(&seeded.server.replace("http:", "https:"), &seeded.issuer);
    let outcome = person.run(&["doctor"]).await;
    assert_eq!(outcome.code, 3);
    assert!(outcome.stderr.contains("the port speaks http, not https"), "{}", outcome.stderr);
}

#[tokio::test]
async fn the_servers_of_other_clients_are_examined_without_registering_anywhere() {
    let right = Seeded::start("").await;
    let wrong = Seeded::start("resource.trailing_slash").await;
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".cursor")).unwrap();
    let servers = json!({"right": {"url": right.server}, "wrong": {"url": wrong.server}});
    let gone = json!({"gone": {"url": "http://127.0.0.1:1/mcp?key=secret"}});
    let write = |name: &str, servers: &Value| {
        let document = json!({"mcpServers": servers}).to_string();
        std::fs::write(home.path().join(name), document).unwrap();
    };
    write(".claude.json", &servers);
    write(".cursor/mcp.json", &gone);
    let person = CommandLine::of(&right.server, "");
    let home_directory = ("HOME", home.path().to_str().unwrap());
    let outcome = person.run_with(&["doctor", "--config"], home_directory).await;
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    for words in [
        "✓ right  http",
        "✗ wrong  http",
        "? gone  http://127.0.0.1:1/mcp (",
        "    error: The resource and the address differ by a slash at the end [resource.trail",
        "3 servers, 2 with something wrong.",
    ] {
        assert!(outcome.stdout.contains(words), "{words}: {}", outcome.stdout);
    }
    assert!(!outcome.stdout.contains("secret"), "{}", outcome.stdout);
    let issuer = format!("people sign in at {}", right.issuer);
    assert!(outcome.stdout.contains(&issuer), "{}", outcome.stdout);
    assert_eq!(right.registered().asked, 0);

    let file = home.path().join(".claude.json");
    let file = file.to_str().unwrap();
    let outcome = person.run(&["--json", "doctor", "--config", file]).await;
    let told: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(told[1]["report"]["errors"], 1, "{told}");
    assert_eq!(told.as_array().unwrap().len(), 2);
}
