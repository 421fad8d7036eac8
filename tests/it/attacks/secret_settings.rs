//! Secrets of operators and people: none is repeated where a setting is refused or logged, and none
//! is used without a word from a file that others can read.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use auth::{
    config::Config,
    state::AppState,
    storage::{Database, counters},
};
use clap::Parser;
use net::clock::Clock;
use sea_orm::ConnectionTrait;
use tests::{
    programs::{command_line::CommandLine, operator, process::start_server},
    stack::{Stack, auth_options, postgres, program, write_secret},
};
use tokio::process::Command;

fn options(data: &Path, database_url: &str) -> Vec<String> {
    write_secret(&data.join("secret"));
    let issuer = "http://localhost:3000";
    let nowhere = "http://localhost:1";
    let mut options = auth_options(data, issuer, nowhere, "http://localhost:1/mcp");
    let at = options.iter().position(|option| option == "--database-url").unwrap();
    options[at + 1] = database_url.to_owned();
    options
}

#[tokio::test]
async fn a_database_url_is_repeated_neither_when_it_is_refused_nor_in_debug() {
    for url in [
        "hunter2",
        "app:hunter2@db/auth",
        "postgres//app:hunter2@db/auth",
        "postgres://app:hunter2/x@db/auth",
        "postgres://app:hunter2@db:port/auth",
        "postgres://app:hunter2@[db/auth",
        "postgres://app:hunter2%ff@db/auth",
        "postgres://app@db/auth?password=x&sslmode=hunter2",
        "mysql://app:hunter2@db/auth",
    ] {
        let data = tempfile::tempdir().unwrap();
        let config = Config::try_parse_from(options(data.path(), url)).unwrap();
        assert!(!format!("{config:?}").contains("hunter2"), "{config:?}");
        let refused = AppState::start(config, Clock::system()).await.map(|_| ()).unwrap_err();
        let refused = format!("{refused} {refused:?}");
        assert!(refused.contains("DATABASE_URL") && !refused.contains("hunter2"), "{refused}");
    }
}

/// The driver would log both, with their text.
#[tokio::test]
async fn a_password_that_is_not_understood_is_not_logged_on_the_postgresql_engine() {
    let data = tempfile::tempdir().unwrap();
    let url = format!("{}&passwd=hunter2", postgres::database().await);
    let passwords = data.path().join("passwords");
    fs::write(&passwords, "localhost hunter2\n").unwrap();
    fs::set_permissions(&passwords, Permissions::from_mode(0o600)).unwrap();
    let mut command = Command::new(program("auth"));
    command
        .args(&options(data.path(), &url)[1..])
        .args(["--listen", "127.0.0.1:0", "--log", "debug"])
        .args(["--story-file", &data.path().join("stories").display().to_string()])
        .env_clear()
        .env("PGPASSFILE", &passwords);
    let (_child, log) = start_server(&mut command, "is ready").await;
    assert!(log.contains("parameter 2 of DATABASE_URL") && !log.contains("hunter2"), "{log}");
}

/// The role that serves need not own the schema, once that is complete.
#[tokio::test]
async fn a_complete_schema_takes_no_right_to_create_tables_on_the_postgresql_engine() {
    let owner = postgres::database().await;
    let db = Database::open(&owner).await.unwrap();
    let role = format!("serves_{}", uuid::Uuid::new_v4().simple());
    let grants = format!(
        "CREATE ROLE {role} LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC; \
         GRANT USAGE ON SCHEMA public TO {role}; \
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"
    );
    db.connection().execute_unprepared(&grants).await.unwrap();
    let url = owner.replace("postgres://postgres@", &format!("postgres://{role}@"));
    let serving = Database::open(&url).await.unwrap();
    counters::raise(serving.connection(), "test", 1).await.unwrap();
    let forbidden = serving.connection().execute_unprepared("CREATE TABLE more (id INT)").await;
    assert!(forbidden.is_err(), "the role may create tables");
}

fn set_mode(file: &Path, mode: u32) {
    fs::set_permissions(file, Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn auth_warns_of_a_master_secret_that_others_can_use() {
    let stack = Stack::start().await;
    for (mode, is_exposed) in
        [(0o644, true), (0o604, true), (0o602, true), (0o660, true), (0o640, false), (0o600, false)]
    {
        set_mode(&stack.state.config.secret.secret_file, mode);
        let outcome = operator::run(&stack, &["keys", "list"]).await;
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        assert_eq!(
            outcome.stderr.contains("chmod 600"),
            is_exposed,
            "{mode:o}: {}",
            outcome.stderr
        );
    }
}

#[tokio::test]
async fn the_client_takes_exposed_tokens_away_from_others_and_says_so() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    assert_eq!(person.sign_in(&["login"]).await.code, 0);
    set_mode(&person.kept_in(), 0o644);
    let warned = person.run(&["status"]).await.stderr;
    assert!(warned.contains("others on this machine could use the tokens"), "{warned}");
    assert_eq!(fs::metadata(person.kept_in()).unwrap().permissions().mode() & 0o777, 0o600);
    let silent = person.run(&["status"]).await.stderr;
    assert!(!silent.contains("warning"), "{silent}");
}

#[tokio::test]
async fn the_client_warns_of_a_secret_file_that_others_can_use() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    let secret = stack.directory().join("client.secret");
    fs::write(&secret, "hunter2").unwrap();
    let file = secret.display().to_string();
    let arguments = ["--client-id", "x", "--client-secret-file", &file, "status"];
    for (mode, is_exposed) in [(0o644, true), (0o600, false)] {
        set_mode(&secret, mode);
        let said = person.run(&arguments).await.stderr;
        assert_eq!(said.contains("chmod 600"), is_exposed, "{mode:o}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}
