//! Settings that do not fit together stop the start with one sentence.

use std::{collections::BTreeSet, error::Error, fs, os::unix::fs::PermissionsExt, path::Path};

use auth::{config::Config, state::AppState};
use clap::{CommandFactory, Parser};
use net::clock::Clock;
use tempfile::TempDir;
use tests::stack::{auth_options, write_secret};

fn directory() -> TempDir {
    let data = tempfile::tempdir().unwrap();
    write_secret(&data.path().join("secret"));
    data
}

async fn start(
    data: &TempDir,
    change: &[(&str, &str)],
) -> Result<AppState, Box<dyn Error + Send + Sync>> {
    let issuer = "http://localhost:3000";
    let github = "http://localhost:3002";
    let mut options = auth_options(data.path(), issuer, github, "http://localhost:3001/mcp");
    for (name, value) in change {
        if let Some(at) = options.iter().position(|option| option == name) {
            options.drain(at..at + 2);
        }
        options.extend([(*name).to_owned(), (*value).to_owned()]);
    }
    AppState::start(Config::try_parse_from(options).unwrap(), Clock::system()).await
}

async fn refusal(change: &[(&str, &str)]) -> String {
    start(&directory(), change).await.map(|_| ()).unwrap_err().to_string()
}

#[tokio::test]
async fn the_stand_in_is_refused_unless_everything_is_on_loopback() {
    assert!(refusal(&[("--issuer", "https://auth.example.com")]).await.contains("loopback"));
    assert!(refusal(&[("--listen", "0.0.0.0:3000")]).await.contains("loopback"));
    assert!(refusal(&[("--github-base-url", "http://github.test")]).await.contains("loopback"));
}

#[tokio::test]
async fn documents_of_this_machine_are_refused_unless_everything_is_on_loopback() {
    let documents = ("--insecure-metadata-documents-on-loopback", "true");
    let github = [
        ("--github-base-url", "https://github.com"),
        ("--github-api-url", "https://api.github.com"),
    ];
    for public in [("--issuer", "https://auth.example.com"), ("--listen", "0.0.0.0:3000")] {
        let refused = refusal(&[documents, public, github[0], github[1]]).await;
        assert!(refused.contains("AUTH_INSECURE_METADATA_DOCUMENTS_ON_LOOPBACK"), "{refused}");
    }
    assert!(start(&directory(), &[documents]).await.is_ok());
}

#[tokio::test]
async fn an_issuer_that_clients_could_not_compare_is_refused() {
    for issuer in ["http://localhost:3000/", "http://auth.example.com", "nonsense", "https://a/?b"]
    {
        assert!(refusal(&[("--issuer", issuer)]).await.contains("AUTH_ISSUER"), "{issuer}");
    }
}

#[tokio::test]
async fn lifetimes_that_cannot_be_answered_for_are_refused() {
    for (option, value, name) in [
        ("--access-token-lifetime", "0", "AUTH_ACCESS_TOKEN_LIFETIME"),
        ("--access-token-lifetime", "86401", "AUTH_ACCESS_TOKEN_LIFETIME"),
        ("--refresh-token-lifetime", "0", "AUTH_REFRESH_TOKEN_LIFETIME"),
        ("--grant-lifetime", "9223372036854775807", "AUTH_GRANT_LIFETIME"),
        ("--session-lifetime", "0", "AUTH_SESSION_LIFETIME"),
        ("--refresh-grace", "601", "AUTH_REFRESH_GRACE"),
    ] {
        let refused = refusal(&[(option, value)]).await;
        assert!(refused.contains(name), "{option} {value}: {refused}");
    }
    assert!(start(&directory(), &[("--access-token-lifetime", "86400")]).await.is_ok());
}

#[tokio::test]
async fn a_missing_or_malformed_master_secret_stops_the_start() {
    let missing = refusal(&[("--secret-file", "/nonexistent/secret")]).await;
    assert!(missing.contains("make dev"), "{missing}");
    let data = directory();
    fs::write(data.path().join("secret"), "hunter2").unwrap();
    let malformed = start(&data, &[]).await.map(|_| ()).unwrap_err().to_string();
    assert!(malformed.contains("line 1") && !malformed.contains("hunter2"), "{malformed}");
}

#[tokio::test]
async fn a_wrong_master_secret_stops_the_start_and_makes_no_new_key() {
    let data = directory();
    let kid = |state: &AppState| state.keys.current(i64::MAX).unwrap().kid().to_owned();
    let first = kid(&start(&data, &[]).await.unwrap());
    let right = fs::read_to_string(data.path().join("secret")).unwrap();

    write_secret(&data.path().join("secret"));
    let wrong = start(&data, &[]).await.map(|_| ()).unwrap_err().to_string();
    assert!(wrong.contains("AUTH_SECRET_FILE"), "{wrong}");

    let new = fs::read_to_string(data.path().join("secret")).unwrap();
    fs::write(data.path().join("secret"), format!("{new}\n{right}")).unwrap();
    assert_eq!(kid(&start(&data, &[]).await.unwrap()), first);
}

#[tokio::test]
async fn a_database_that_cannot_be_written_stops_the_start() {
    let data = directory();
    fs::write(data.path().join("file"), "").unwrap();
    let inside_a_file = format!("sqlite://{}/auth.db", data.path().join("file").display());
    let refused = start(&data, &[("--database-url", &inside_a_file)]).await;
    assert!(refused.map(|_| ()).unwrap_err().to_string().contains("DATABASE_URL"));
}

#[tokio::test]
async fn the_files_of_a_new_database_are_for_their_owner_alone() {
    let data = directory();
    let folder = data.path().join("a folder");
    let url = format!("sqlite://{}/a%20folder/auth.db", data.path().display());
    let _state = start(&data, &[("--database-url", &url)]).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for name in ["auth.db", "auth.db-wal", "auth.db-shm"] {
        assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn the_examples_of_the_documentation_start() {
    let data = directory();
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/resources-and-issuers.md");
    let guide = fs::read_to_string(guide).unwrap();
    let examples = guide.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let mut options = Vec::new();
    for (name, example) in ["--resources-file", "--trusted-issuers-file"].iter().zip(examples) {
        let file = data.path().join(name.trim_start_matches('-'));
        fs::write(&file, example).unwrap();
        options.push((*name, file.display().to_string()));
    }
    let options: Vec<(&str, &str)> =
        options.iter().map(|(name, file)| (*name, file.as_str())).collect();
    assert_eq!(options.len(), 2);
    let state = start(&data, &options).await.unwrap();
    assert_eq!((state.resources.len(), state.trusted_issuers.len()), (2, 1));
}

#[tokio::test]
async fn files_that_say_what_cannot_be_stop_the_start() {
    let data = directory();
    let file = data.path().join("file").display().to_string();
    for (option, text, hint) in [
        ("--resources-file", r#"[{"resource":"https://a.test/","name":"A","scopes":[]}]"#, "write"),
        ("--resources-file", "[]", "no resource"),
        (
            "--resources-file",
            r#"[{"resource":"https://a.test/m","name":"A","scopes":[],"access_token_lifetime":86401}]"#,
            "86400",
        ),
        ("--resources-file", r#"[{"resource":"https://a.test","nam":"A"}]"#, "nam"),
        ("--trusted-issuers-file", r#"[{"issuer":"https://a.test","people":{}}]"#, "jwks"),
        ("--trusted-issuers-file", "{}", "sequence"),
    ] {
        fs::write(&file, text).unwrap();
        let refused = start(&data, &[(option, &file)]).await.map(|_| ()).unwrap_err().to_string();
        assert!(refused.contains(hint), "{refused}");
    }
}

#[test]
fn the_example_of_the_environment_names_every_setting_and_no_other() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../.env.example");
    let text = fs::read_to_string(file).unwrap();
    let shown: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.trim_start_matches("# ").split_once('='))
        .map(|(name, _)| name.to_owned())
        .filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        .collect();
    let commands = [Config::command(), mcp::config::Config::command()];
    let known: BTreeSet<String> = commands
        .iter()
        .flat_map(|command| command.get_arguments())
        .filter_map(|argument| Some(argument.get_env()?.to_str()?.to_owned()))
        .collect();
    assert_eq!(shown, known);
}
