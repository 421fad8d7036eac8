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
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
    let guide = fs::read_to_string(guide).unwrap();
    let examples = guide.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let file = data.path().join("portcullis.toml");
    fs::write(&file, examples.collect::<String>()).unwrap();
    let state = start(&data, &[("--config", file.to_str().unwrap())]).await.unwrap();
    assert_eq!((state.resources.len(), state.trusted_issuers.len()), (2, 1));
}

#[tokio::test]
async fn a_mistake_in_the_configuration_file_is_told_with_its_place_and_what_to_write() {
    let data = directory();
    let file = data.path().join("portcullis.toml").display().to_string();
    let resource = "[[resources]]\nresource = \"https://a.test/m\"\nname = \"A\"\nscopes = []\n";
    for (text, told) in [
        (resource.replace("a.test/m", "a.test/"), "1:1: write the resource"),
        (format!("\n{resource}access_token_lifetime = 86401"), "2:1: the access_token_lifetime"),
        (
            format!("{resource}\n{resource}"),
            "1:1: the resource \"https://a.test/m\" is named twice",
        ),
        (resource.replace("name", "nam"), "3:1: unknown key `nam`; did you mean `name`?"),
        ("[[resource]]".into(), "1:3: unknown key `resource`; did you mean `resources`?"),
        ("[limits]".into(), "unknown key `limits`; the keys here are resources, upstreams"),
        (resource.replace("\"A\"", "1"), "3:8: invalid type: integer `1`, expected a string"),
        (resource.replace("name = \"A\"\n", ""), "1:1: missing key `name`"),
        ("resources = [".into(), "1:14: "),
        ("[[trusted_issuers]]\nissuer = \"https://a.test\"\npeople = {}".into(), "1:1: give"),
        ("trusted_issuers = {}".into(), "1:19: invalid type: map, expected a sequence"),
    ] {
        fs::write(&file, &text).unwrap();
        let refused = refusal(&[("--config", &file)]).await;
        assert!(refused.starts_with(&format!("{file}:")) && refused.contains(told), "{refused}");
    }
    let absent = refusal(&[("--config", "/nowhere/portcullis.toml")]).await;
    assert!(absent.contains("/nowhere/portcullis.toml cannot be read"), "{absent}");
}

#[tokio::test]
async fn beyond_loopback_nothing_starts_before_it_is_said_who_may_sign_in() {
    let data = directory();
    let file = data.path().join("portcullis.toml").display().to_string();
    let github = [
        ("--github-base-url", "https://github.com"),
        ("--github-api-url", "https://api.github.com"),
        ("--config", &file),
    ];
    for public in [("--issuer", "https://auth.example.com"), ("--listen", "0.0.0.0:3000")] {
        let settings = [&[public], &github[..]].concat();
        fs::write(&file, "").unwrap();
        let refused = start(&data, &settings).await.map(|_| ()).unwrap_err().to_string();
        let told = ["under [access.groups]", "allow under [access]", "anyone = true"];
        assert!(told.iter().all(|told| refused.contains(told)), "{refused}");
        for access in ["anyone = true", "allow = [\"a\"]\ngroups.a.emails = [\"ada@acme.example\"]"]
        {
            fs::write(&file, format!("[access]\n{access}")).unwrap();
            assert!(start(&data, &settings).await.is_ok(), "{access}");
        }
    }
    assert!(start(&directory(), &[]).await.is_ok(), "on loopback");
}

#[tokio::test]
async fn without_a_place_where_people_sign_in_nothing_starts() {
    let config = Config::try_parse_from(["auth"]).unwrap();
    let refused = AppState::start(config, Clock::system()).await.map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("set GITHUB_CLIENT_ID"), "{refused}");
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
    let commands = [
        Config::command(),
        mcp::config::Config::command(),
        gate::config::Config::command(),
        portcullis::options_of_up(),
    ];
    let known: BTreeSet<String> = commands
        .iter()
        .flat_map(|command| command.get_arguments())
        .filter_map(|argument| Some(argument.get_env()?.to_str()?.to_owned()))
        .collect();
    assert_eq!(shown, known);
}
