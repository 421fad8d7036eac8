//! The whole stack on free ports, with its own database and a clock that tests move.

use std::{
    fs,
    net::Ipv4Addr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use auth::{clock::Clock, config::Config, state::AppState};
use clap::Parser;
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::github;

/// A running stack. It stops when it is dropped.
pub struct Stack {
    /// Issuer identifier of `auth`.
    pub issuer: String,
    /// Resource identifier of the MCP server.
    pub resource: String,
    /// Where the stand-in for GitHub is.
    pub github: String,
    /// What lies behind `auth`, to look into the database.
    pub auth: AppState,
    offset: Arc<AtomicI64>,
    data: TempDir,
    tasks: Vec<JoinHandle<()>>,
}

/// A listener and the name that everybody calls it by.
struct Place {
    listener: TcpListener,
    url: String,
}

impl Place {
    async fn free() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        Self { listener, url: format!("http://localhost:{port}") }
    }
}

impl Stack {
    /// Starts `auth` and the stand-in, with an SQLite file.
    pub async fn start() -> Self {
        Self::start_with(|_, arguments| arguments).await
    }

    /// The same with changed options of `auth`.
    pub async fn start_with(change: impl FnOnce(&Path, Vec<String>) -> Vec<String>) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let secret = keys::MasterSecrets::generate().expect("a secret");
        fs::write(data.path().join("secret"), secret).expect("a secret file");
        let (auth, github, mcp) = (Place::free().await, Place::free().await, Place::free().await);
        let resource = format!("{}/mcp", mcp.url);
        let arguments = change(data.path(), arguments(data.path(), &auth.url, &github.url, &resource));

        let offset = Arc::new(AtomicI64::new(0));
        let config = Config::try_parse_from(arguments).expect("settings");
        let clock = Clock::moved_by(offset.clone());
        let state = AppState::start(config, clock).await.expect("a start");
        let mut stack = Self {
            issuer: auth.url,
            resource,
            github: github.url,
            auth: state.clone(),
            offset,
            data,
            tasks: Vec::new(),
        };
        stack.spawn(async move {
            auth::serve(auth.listener, state, std::future::pending()).await.expect("auth");
        });
        stack.spawn(async move { github::serve(github.listener).await.expect("the stand-in") });
        drop(mcp.listener);
        stack
    }

    /// Moves the clock of all servers.
    pub fn advance(&self, seconds: i64) {
        self.offset.fetch_add(seconds, Ordering::Relaxed);
    }

    /// A directory that lives as long as the stack.
    pub fn directory(&self) -> &Path {
        self.data.path()
    }

    /// The URL of a path at `auth`.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.push(tokio::spawn(task));
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

fn arguments(data: &Path, issuer: &str, github: &str, resource: &str) -> Vec<String> {
    let database = format!("sqlite://{}", data.join("auth.db").display());
    let secret = data.join("secret").display().to_string();
    [
        "auth",
        "--issuer",
        issuer,
        "--database-url",
        &database,
        "--secret-file",
        &secret,
        "--resource",
        resource,
        "--github-base-url",
        github,
        "--github-api-url",
        github,
        "--github-client-id",
        github::CLIENT_ID,
        "--github-client-secret",
        github::CLIENT_SECRET,
    ]
    .map(str::to_owned)
    .to_vec()
}
