//! The whole stack on free ports, with its own database and a clock that tests set.

pub mod access_token;
pub mod config_file;
pub mod gate;
pub mod postgres;
pub mod stories;

use std::{
    fs::{self, Permissions},
    net::Ipv4Addr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use auth::state::AppState;
use clap::Parser;
use net::clock::Clock;
pub use portcullis::github;
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};

use self::github::StandIn;
use crate::waiting::looks;

/// A running stack. It stops when it is dropped.
pub struct Stack {
    /// Issuer identifier of `auth`.
    pub issuer: String,
    /// Where the MCP server is; its resource identifier too, unless a test says otherwise.
    pub resource: String,
    /// What clients of the harness ask tokens for.
    pub audience: String,
    /// Where the stand-in for GitHub is.
    pub github: String,
    /// The stand-in itself, to change what it knows.
    pub stand_in: StandIn,
    /// What lies behind `auth`, to look into the database.
    pub state: AppState,
    time: Arc<Time>,
    runner: OnceLock<JoinHandle<()>>,
    data: TempDir,
    auth: JoinHandle<()>,
    others: Vec<JoinHandle<()>>,
}

/// The time of a stack. It does not tick, so that a test at the exact end of a lifetime cannot miss
/// it.
struct Time {
    /// Seconds since 1970.
    now: Arc<AtomicI64>,
    /// What the machine's clock told when `now` was last set by it.
    system: AtomicI64,
}

impl Time {
    fn start() -> Self {
        let system = Clock::system().now();
        Self { now: Arc::new(AtomicI64::new(system)), system: AtomicI64::new(system) }
    }

    fn clock(&self) -> Clock {
        Clock::manual(self.now.clone())
    }

    fn catch_up(&self) {
        let system = Clock::system().now();
        let elapsed = system - self.system.swap(system, Ordering::Relaxed);
        self.now.fetch_add(elapsed, Ordering::Relaxed);
    }
}

/// What the database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A file of the stack.
    Sqlite,
    /// A database of the run's cluster.
    Postgres,
}

impl Engine {
    /// Both, for tests of what must hold on either.
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];
}

/// How often a running clock is set.
const CLOCK_INTERVAL: Duration = Duration::from_millis(100);

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
    /// Starts everything, with an SQLite file.
    pub async fn start() -> Self {
        Self::start_with(&[], &[]).await
    }

    /// Starts everything, on either engine.
    pub async fn on(engine: Engine) -> Self {
        Self::on_with(engine, &[]).await
    }

    /// The same with further options of `auth`.
    pub async fn on_with(engine: Engine, for_auth: &[&str]) -> Self {
        match engine {
            Engine::Sqlite => Self::start_with(for_auth, &[]).await,
            Engine::Postgres => {
                let url = postgres::database().await;
                let options = [for_auth, &["--database-url", &url]].concat();
                Self::start_with(&options, &[]).await
            }
        }
    }

    /// The same with further options of `auth` and of `mcp`.
    pub async fn start_with(for_auth: &[&str], for_mcp: &[&str]) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        write_secret(&data.path().join("secret"));
        let auth = Place::free().await;
        let github = Place::free().await;
        let mcp = Place::free().await;
        let resource = format!("{}/mcp", mcp.url);
        let time = Arc::new(Time::start());

        let options = auth_options(data.path(), &auth.url, &github.url, &resource);
        let config =
            auth::config::Config::try_parse_from(with(options, for_auth)).expect("settings");
        let state = AppState::start(config, time.clock()).await.expect("a start of auth");

        let options = ["mcp", "--resource", &resource, "--issuer", &auth.url].map(str::to_owned);
        let config = mcp::config::Config::try_parse_from(with(options.into(), for_mcp));
        let router = mcp::router(&config.expect("settings"), time.clock()).expect("a router");

        let stand_in = StandIn::default();
        let standing_in = stand_in.clone();
        let never = std::future::pending;
        let served = state.clone();
        Self {
            issuer: auth.url,
            audience: resource.clone(),
            resource,
            github: github.url,
            stand_in,
            state,
            time,
            runner: OnceLock::new(),
            data,
            auth: tokio::spawn(async move {
                auth::serve(auth.listener, served, never()).await;
            }),
            others: vec![
                tokio::spawn(async move {
                    github::serve(github.listener, standing_in).await.expect("the stand-in serves");
                }),
                tokio::spawn(async move {
                    mcp::serve(mcp.listener, router, never()).await;
                }),
            ],
        }
    }

    /// Moves the clock of all servers.
    pub fn advance(&self, seconds: i64) {
        self.time.now.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Moves the clock of all servers by what has elapsed on the machine's clock, so that they do
    /// not lag behind what another process has just written.
    pub fn catch_up(&self) {
        self.time.catch_up();
    }

    /// Lets the clock of all servers run from now on, for tests that run programs next to them.
    /// Programs have the machine's clock, and a server whose clock does not tick would refuse what
    /// they sign as being from the future.
    pub fn run_clock(&self) {
        self.runner.get_or_init(|| {
            let time = self.time.clone();
            tokio::spawn(async move {
                let mut interval = looks(CLOCK_INTERVAL);
                loop {
                    interval.tick().await;
                    time.catch_up();
                }
            })
        });
        self.catch_up();
    }

    /// Stops `auth`, and nothing else.
    pub async fn stop_auth(&mut self) {
        self.auth.abort();
        let _ = (&mut self.auth).await;
    }

    /// A directory that lives as long as the stack.
    pub fn directory(&self) -> &Path {
        self.data.path()
    }

    /// Bytes of the SQLite database, with what is yet to be written into it.
    pub fn database_size(&self) -> u64 {
        let files = ["auth.db", "auth.db-wal"].map(|name| self.directory().join(name));
        files.iter().filter_map(|file| fs::metadata(file).ok()).map(|file| file.len()).sum()
    }

    /// The URL of a path at `auth`.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.auth.abort();
        self.others.iter().chain(self.runner.get()).for_each(JoinHandle::abort);
    }
}

/// A program of this workspace. Tests and the programs of the harness are in folders next to it.
pub fn program(name: &str) -> PathBuf {
    let own = std::env::current_exe().expect("the path of this program");
    let folder = own.parent().expect("a folder");
    let program = folder.parent().expect("a target").join(name);
    assert!(program.exists(), "there is no {name} to run: run `cargo build -p {name}` first");
    program
}

/// Writes a fresh master secret.
pub fn write_secret(file: &Path) {
    let secret = keys::MasterSecrets::generate().expect("a secret");
    fs::write(file, secret).expect("a secret file");
    fs::set_permissions(file, Permissions::from_mode(0o600)).expect("a file of its owner");
}

/// The options of `auth` for a database and a secret in `data`.
pub fn auth_options(data: &Path, issuer: &str, github: &str, resource: &str) -> Vec<String> {
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

/// Options with further ones; a later one replaces an earlier one of the same name.
fn with(mut options: Vec<String>, further: &[&str]) -> Vec<String> {
    for pair in further.chunks(2) {
        if let Some(at) = options.iter().position(|option| option == pair[0]) {
            options.drain(at..at + 2);
        }
        options.extend(pair.iter().map(|option| (*option).to_owned()));
    }
    options
}
