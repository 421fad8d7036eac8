//! `client login --explain` tells each step with its section, and no secret.

use std::{fs, path::PathBuf};

use serde_json::Value;
use tests::{programs::command_line::CommandLine, stack::Stack};

#[tokio::test]
async fn each_step_is_told_with_its_section_and_no_secret() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    let outcome = person.sign_in(&["login", "--explain"]).await;
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);

    let told = &outcome.stderr;
    let mut rest = told.as_str();
    for section in [
        "RFC 9728 §5.1",
        "RFC 9728 §3.3",
        "RFC 8414 §3.3",
        "MCP client-registration",
        "RFC 7591 §3",
        "RFC 7636 §4.3",
        "RFC 9207 §2.4",
        "OAuth 2.1 §4.1.3",
    ] {
        let place = rest.find(section).unwrap_or_else(|| panic!("{section} in {told}"));
        rest = &rest[place..];
    }
    assert!(told.contains("code_challenge_method: S256") && told.contains("application_type"));
    assert!(told.contains("code_verifier: [secret]") && told.contains("code: [secret]"));
    for secret in kept_secrets(&person) {
        assert!(!told.contains(&secret), "{told}");
    }
}

/// The tokens that the sign-in left behind.
fn kept_secrets(person: &CommandLine) -> Vec<String> {
    let directory = PathBuf::from(person.options().pop().unwrap());
    let kept = fs::read(directory.join("credentials.json")).unwrap();
    let kept: Value = serde_json::from_slice(&kept).unwrap();
    let grants = kept["grants"].as_object().unwrap().values();
    let secrets: Vec<_> = grants
        .flat_map(|resources| resources.as_object().unwrap().values())
        .flat_map(|grant| ["access_token", "refresh_token"].map(|name| grant[name].clone()))
        .filter_map(|secret| secret.as_str().map(str::to_owned))
        .collect();
    assert_eq!(secrets.len(), 2, "both tokens are kept");
    secrets
}
