//! `auth access`

use serde_json::{Value, json};
use tests::{
    people::browser::Browser,
    programs::{command_line::Outcome, operator},
    stack::{Stack, config_file, github::Membership},
};

const FILES: &str = "http://localhost:9/files";

/// A stack on which Nick has signed in, and the options that name its configuration.
async fn signed_in() -> (Stack, Vec<String>, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("portcullis.toml");
    let scope = |name: &str| json!({"name": name, "description": name});
    let document = json!({
        "resources": [{"resource": FILES, "name": "Files", "scopes": [scope("read"), scope("write")]}],
        "access": {
            "allow": ["staff"], "deny": ["suspended"],
            "groups": {
                "staff": {"github_organisations": ["acme"]},
                "platform": {"github_teams": ["acme/platform"]},
                "suspended": {"github_users": ["mallory"]},
            },
            "limits": [{"resource": FILES, "scopes": ["write"], "groups": ["platform"]}],
        },
    });
    let config = config_file::write(&file, &document);
    let stack = Stack::start_with(&config.each_ref().map(String::as_str), &[]).await;
    stack.stand_in.set_membership("nick-lucas", "acme", Membership::Active);
    stack.stand_in.set_membership("nick-lucas", "acme/platform", Membership::None);
    let mut browser = Browser::default();
    let page = browser.open(&stack.at("/account")).await;
    let page = browser.send_form(&page, "/sign-in/github").await;
    assert_eq!(browser.press(&page, "user", "nick-lucas").await.status, 200);
    let github = ["--github-client-id", "a", "--github-client-secret", "b"].map(str::to_owned);
    (stack, config.into_iter().chain(github).collect(), directory)
}

async fn test(stack: &Stack, settings: &[String], question: &[&str]) -> Outcome {
    let settings = settings.iter().map(String::as_str);
    let arguments = ["access", "test"].into_iter().chain(question.iter().copied()).chain(settings);
    operator::run(stack, &arguments.collect::<Vec<_>>()).await
}

#[tokio::test]
async fn it_says_yes_or_no_and_which_rule_decides() {
    let (stack, settings, _directory) = signed_in().await;
    for (question, code, told) in [
        (&["--user", "Nick-Lucas"][..], 0, "by github_organisations \"acme\""),
        (&["--user", "nick-lucas@example.com"], 0, "groups: staff"),
        (&["--user", "nick-lucas", "--scope", "read"], 0, "scopes: read"),
        (&["--user", "nick-lucas", "--resource", FILES], 0, "keeps write for other groups"),
        (
            &["--user", "nick-lucas", "--resource", FILES, "--scope", "write"],
            1,
            "no: [[access.limits]] keeps write for other groups",
        ),
        (&["--user", "mallory"], 1, "deny has the group \"suspended\" by github_users \"mallory\""),
        (&["--user", "grace"], 1, "has not signed in here yet"),
    ] {
        let outcome = test(&stack, &settings, question).await;
        assert_eq!((outcome.code, &*outcome.stderr), (code, ""), "{question:?}");
        assert!(outcome.stdout.contains(told), "{question:?}: {}", outcome.stdout);
        let word = if code == 0 { "yes: " } else { "no: " };
        assert!(outcome.stdout.starts_with(word), "{question:?}: {}", outcome.stdout);
    }
}

#[tokio::test]
async fn programs_get_json_and_a_mistake_is_not_an_answer() {
    let (stack, settings, _directory) = signed_in().await;
    let question = ["--user", "nick-lucas", "--scope", "read write", "--json"];
    let outcome = test(&stack, &settings, &question).await;
    let answer: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!((outcome.code, &answer["allowed"]), (1, &json!(false)), "{answer}");
    assert_eq!(answer["groups"], json!(["staff"]));
    assert_eq!(answer["scopes"], json!(["read"]));
    for (question, told) in [
        (["--user", "nick-lucas", "--scope", "delete"], "has no scope \"delete\""),
        (["--user", "nick-lucas", "--resource", "http://localhost:9/x"], "No resource of this"),
    ] {
        let outcome = test(&stack, &settings, &question).await;
        assert_eq!((outcome.code, &*outcome.stdout), (1, ""), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(told), "{}", outcome.stderr);
    }
}
