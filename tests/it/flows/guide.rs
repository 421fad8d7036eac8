//! What docs/guard.md tells a reader to write is a server that people can sign in to.

use std::{fs, path::PathBuf};

use reqwest::StatusCode;
use tests::{
    programs::{
        client::{Client, http},
        command_line::CommandLine,
        guide::Guide,
        process::{free_port, start_silent_server},
    },
    stack::Stack,
};
use tokio::process::{Child, Command};

/// The addresses in the guide.
const SERVER: &str = "http://localhost:4001";
const ISSUER: &str = "http://localhost:3000";

/// One of the guide's programs, and an authorization server with the configuration of the guide.
struct Started {
    origin: String,
    stack: Stack,
    _program: Child,
}

impl Started {
    async fn new(guide: &Guide, program: PathBuf) -> Self {
        let port = free_port().await;
        let origin = format!("http://localhost:{port}");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("portcullis.toml");
        fs::write(&file, guide.file("notes/portcullis.toml").replace(SERVER, &origin)).unwrap();
        let stack = Stack::start_with(&["--config", file.to_str().unwrap()], &[]).await;
        let mut command = Command::new(program);
        command
            .env("NOTES_ORIGIN", &origin)
            .env("NOTES_RESOURCE", format!("{origin}/mcp"))
            .env("NOTES_ISSUER", &stack.issuer)
            .env("NOTES_LISTEN", format!("127.0.0.1:{port}"));
        let program = start_silent_server(&mut command, port).await;
        Self { origin, stack, _program: program }
    }

    /// What a person sees who calls the tool `count` at `path`, and signs in for it.
    async fn count(&self, path: &str) -> String {
        let person = CommandLine::new(&self.stack).at(&format!("{}{path}", self.origin));
        let outcome = person.sign_in(&["call", "count"]).await;
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        outcome.stdout
    }

    /// A token for the server at `path`.
    async fn token(&self, path: &str, scope: &str) -> String {
        let resource = format!("{}{path}", self.origin);
        let client = Client::register_at(&self.stack.issuer, &resource).await;
        let tokens = client.obtain_tokens_for(scope).await;
        assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.json);
        tokens.text("access_token").to_owned()
    }
}

/// The status and the body of a GET with a token.
async fn get(url: String, token: &str) -> (StatusCode, String) {
    let answer = http().get(url).bearer_auth(token).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_servers_of_the_guard_guide_build_and_people_sign_in_to_them() {
    let guide = Guide::read();
    assert!(guide.file("notes/src/main.rs").contains(&format!("{SERVER}/mcp")));
    assert!(guide.file("notes/src/main.rs").contains(ISSUER));
    let programs = guide.build();

    let notes = Started::new(&guide, programs.join("notes")).await;
    assert_eq!(notes.count("/mcp").await, "Nick Lucas has no notes yet.\n");
    let export = format!("{}/export", notes.origin);
    let answer = http().get(&export).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("oauth-protected-resource/mcp"), "{challenge}");
    let token = notes.token("/mcp", "notes:read profile").await;
    assert_eq!(get(export, &token).await, (StatusCode::OK, "All notes of Nick Lucas".to_owned()));

    let two = Started::new(&guide, programs.join("two")).await;
    assert_eq!(two.count("/mcp").await, "Nick Lucas has no notes yet.\n");
    assert_eq!(two.count("/mail").await, "Nick Lucas has no mail.\n");
    let token = two.token("/mail", "mail:read profile").await;
    let (status, _) = get(format!("{}/mcp", two.origin), &token).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "a token for the mail opens the notes");
}
