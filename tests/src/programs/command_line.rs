//! The command line `client` as people run it: a process of its own.

use std::{
    path::PathBuf,
    process::{Output, Stdio},
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStderr, Command},
};

use crate::{
    people::browser::Browser,
    programs::process::send_signal,
    stack::{Stack, program},
};

/// A person's use of the client: one state directory, one server.
pub struct CommandLine {
    server: String,
    issuer: String,
    state: TempDir,
    store: &'static str,
}

/// A call that waits for its sign-in.
pub struct Waiting {
    /// The address that was printed.
    pub url: String,
    child: Child,
    talk: String,
    stderr: BufReader<ChildStderr>,
}

/// How a call ended.
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl CommandLine {
    /// A person who has never signed in. From now on the clock of the stack runs.
    pub fn new(stack: &Stack) -> Self {
        stack.run_clock();
        let state = tempfile::tempdir().expect("a directory");
        let server = stack.resource.clone();
        let issuer = stack.issuer.clone();
        Self { server, issuer, state, store: "file" }
    }

    /// A person at a server that is not of a stack.
    pub fn of(server: &str, issuer: &str) -> Self {
        let state = tempfile::tempdir().expect("a directory");
        Self { server: server.into(), issuer: issuer.into(), state, store: "file" }
    }

    /// The same person at another server.
    pub fn at(self, server: &str) -> Self {
        Self { server: server.into(), ..self }
    }

    /// The same user with another store for secrets. The default is a file, because the keyring
    /// belongs to the developer who runs the tests.
    pub fn with_store(self, store: &'static str) -> Self {
        Self { store, ..self }
    }

    /// The arguments before a command's own.
    pub fn options(&self) -> Vec<String> {
        let state = self.state.path().display().to_string();
        let options = ["--server", &self.server, "--no-browser", "--credentials-store", self.store];
        [&options[..], &["--state-dir", &state]].concat().into_iter().map(str::to_owned).collect()
    }

    /// The file that holds this person's tokens.
    pub fn kept_in(&self) -> PathBuf {
        self.state.path().join("credentials.json")
    }

    /// What that file holds.
    pub fn kept(&self) -> serde_json::Value {
        let content = std::fs::read(self.kept_in()).expect("a file with tokens");
        serde_json::from_slice(&content).expect("JSON")
    }

    /// Starts a call that will ask for a sign-in, up to the address that it prints.
    pub async fn begin(&self, arguments: &[&str]) -> Waiting {
        let mut child = self.command(arguments).spawn().expect("a process");
        let mut stderr = BufReader::new(child.stderr.take().expect("the talk"));
        let mut talk = String::new();
        loop {
            let mut line = String::new();
            let read = stderr.read_line(&mut line).await.expect("a line");
            assert!(read > 0, "no address was printed: {talk}");
            talk.push_str(&line);
            if line.starts_with(&format!("{}/authorize?", self.issuer)) {
                return Waiting { url: line.trim().to_owned(), child, talk, stderr };
            }
        }
    }

    /// Runs a call that asks for a sign-in, with Nick Lucas, who allows everything.
    pub async fn sign_in(&self, arguments: &[&str]) -> Outcome {
        let waiting = self.begin(arguments).await;
        let mut browser = Browser::default();
        let page = browser.open(&waiting.url).await;
        let page = browser.send_form(&page, "/sign-in/github").await;
        let page = browser.press(&page, "user", "nick-lucas").await;
        browser.press(&page, "decision", "allow").await;
        waiting.finish().await
    }

    /// Runs a call to its end.
    pub async fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(self.command(arguments).output().await.expect("a process"))
    }

    /// The same with a variable of the environment.
    pub async fn run_with(&self, arguments: &[&str], (name, value): (&str, &str)) -> Outcome {
        let mut command = self.command(arguments);
        Outcome::of(command.env(name, value).output().await.expect("a process"))
    }

    /// Runs the prompt with `lines` on its stdin.
    pub async fn run_lines(&self, lines: &str) -> Outcome {
        let mut command = self.command(&[]);
        let mut child = command.stdin(Stdio::piped()).spawn().expect("a process");
        let mut stdin = child.stdin.take().expect("stdin");
        stdin.write_all(lines.as_bytes()).await.expect("written");
        drop(stdin);
        Outcome::of(child.wait_with_output().await.expect("an end"))
    }

    /// Starts a call that is left to itself; it is killed when what is returned is dropped.
    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().expect("a process")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("client"));
        command
            .args(self.options())
            .args(arguments)
            .env_remove("BROWSER")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

impl Outcome {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

impl Waiting {
    /// Waits for the call's end.
    pub async fn finish(mut self) -> Outcome {
        self.stderr.read_to_string(&mut self.talk).await.expect("the talk");
        let output = self.child.wait_with_output().await.expect("an end");
        Outcome {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: self.talk,
        }
    }

    /// Ends the call as Ctrl-C does.
    pub async fn interrupt(self) -> Outcome {
        send_signal(&self.child, "-INT").await;
        self.finish().await
    }
}
