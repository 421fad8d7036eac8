//! `auth` and `mcp` as processes of their own, several of each on one database, behind one address.

use std::{
    fs,
    net::Ipv4Addr,
    path::PathBuf,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    task::JoinSet,
    time::timeout,
};

use crate::{
    programs::{
        client::{Client, http},
        process::send_signal,
    },
    stack::{
        Engine, auth_options,
        github::{self, StandIn},
        postgres, program, write_secret,
    },
    waiting::before_retry,
};

/// Longest start of a program on a busy machine.
pub(super) const START_TIMEOUT: Duration = Duration::from_secs(30);

/// Running programs. They end when this is dropped.
pub struct Replicas {
    /// Issuer identifier: an address that leads to each `auth` in turn.
    pub issuer: String,
    /// The address of each `auth`.
    pub auth: Vec<String>,
    /// The address of each `mcp`.
    pub mcp: Vec<String>,
    /// What tokens are for.
    pub audience: String,
    options: Vec<String>,
    children: Vec<Child>,
    _others: JoinSet<()>,
    data: TempDir,
}

impl Replicas {
    /// As many of `auth` as an engine is for: SQLite has one writer, so one process; PostgreSQL two.
    pub fn of_auth(engine: Engine) -> usize {
        if engine == Engine::Postgres { 2 } else { 1 }
    }

    /// Starts so many of `auth` and of `mcp`, with further options of `auth`.
    pub async fn start(engine: Engine, (auths, mcps): (usize, usize), further: &[&str]) -> Self {
        let data = tempfile::tempdir().expect("a directory");
        write_secret(&data.path().join("secret"));
        let front = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let github = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let issuer = url_of(&front);
        let stand_in = url_of(&github);
        let audience = "http://localhost:9/mcp".to_owned();
        let mut options = auth_options(data.path(), &issuer, &stand_in, &audience);
        if engine == Engine::Postgres {
            let at = options.iter().position(|option| option == "--database-url");
            options[at.expect("an option") + 1] = postgres::database().await;
        }
        options.remove(0);
        // Each has a file of its own, so that a new secret comes to one after the other.
        let at = options.iter().position(|option| option == "--secret-file").expect("an option");
        options.drain(at..at + 2);
        options.extend(further.iter().map(|option| (*option).to_owned()));
        // The losers of a race are refused: here, thousands of requests from one address.
        for limit in ["--limit-failed-requests", "--limit-approvals", "--limit-revocations"] {
            options.extend([limit, "0"].map(str::to_owned));
        }
        options.extend(["--log", "error"].map(str::to_owned));

        let mut replicas = Self {
            issuer,
            auth: free_addresses(auths).await,
            mcp: free_addresses(mcps).await,
            audience,
            options,
            children: Vec::new(),
            _others: JoinSet::new(),
            data,
        };
        replicas._others.spawn(async move {
            github::serve(github, StandIn::default()).await.expect("the stand-in serves");
        });
        replicas._others.spawn(forward(front, replicas.auth.clone()));
        for number in 0..auths {
            fs::write(replicas.secret_file(number), replicas.secret()).expect("a secret file");
            let child = replicas.start_auth(number).await;
            replicas.children.push(child);
        }
        for number in 0..mcps {
            let child = replicas.start_mcp(number).await;
            replicas.children.push(child);
        }
        replicas
    }

    /// Kills an `auth` without warning and starts it again.
    pub async fn crash(&mut self, number: usize) {
        self.children[number].kill().await.expect("a process to kill");
        self.children[number] = self.start_auth(number).await;
    }

    /// The secret that all of them were started with.
    pub fn secret(&self) -> String {
        fs::read_to_string(self.data.path().join("secret")).expect("a secret file")
    }

    /// Stops an `auth` gracefully and starts it again with these lines in its secret file.
    pub async fn restart_with_secrets(&mut self, number: usize, lines: &str) {
        let child = &mut self.children[number];
        send_signal(child, "-TERM").await;
        child.wait().await.expect("an end");
        fs::write(self.secret_file(number), lines).expect("a secret file");
        self.children[number] = self.start_auth(number).await;
    }

    fn secret_file(&self, number: usize) -> PathBuf {
        self.data.path().join(format!("secret-{number}"))
    }

    /// A public client that is registered, as it speaks to the issuer's address.
    pub async fn register(&self) -> Client {
        Client::register_at(&self.issuer, &self.audience).await
    }

    async fn start_auth(&self, number: usize) -> Child {
        let address = &self.auth[number];
        let listen = address.replace("http://localhost", "127.0.0.1");
        let mut command = Command::new(program("auth"));
        command.args(&self.options).args(["--listen", &listen]);
        command.arg("--secret-file").arg(self.secret_file(number));
        start(command, address).await
    }

    async fn start_mcp(&self, number: usize) -> Child {
        let address = &self.mcp[number];
        let listen = address.replace("http://localhost", "127.0.0.1");
        let mut command = Command::new(program("mcp"));
        command.args(["--listen", &listen, "--resource", &self.audience]);
        command.args(["--issuer", &self.issuer, "--log", "error"]);
        start(command, address).await
    }
}

pub(super) async fn start(mut command: Command, address: &str) -> Child {
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().expect("a process");
    let http = http();
    let health = format!("{address}/health");
    let ready = async {
        while !http.get(&health).send().await.is_ok_and(|answer| answer.status().is_success()) {
            assert!(child.try_wait().expect("a process").is_none(), "the program has ended");
            before_retry().await;
        }
    };
    timeout(START_TIMEOUT, ready).await.expect("a start in time");
    child
}

pub(super) fn url_of(listener: &TcpListener) -> String {
    format!("http://localhost:{}", listener.local_addr().expect("an address").port())
}

/// Ports that were free a moment ago, all at once, so that none comes twice.
pub(super) async fn free_addresses(count: usize) -> Vec<String> {
    let mut listeners = Vec::new();
    for _ in 0..count {
        listeners.push(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port"));
    }
    listeners.iter().map(url_of).collect()
}

/// Leads each connection to the next of `targets`, and past one that is down.
async fn forward(front: TcpListener, targets: Vec<String>) {
    let turn = Arc::new(AtomicUsize::default());
    loop {
        let Ok((mut near, _)) = front.accept().await else { continue };
        let targets = targets.clone();
        let turn = turn.clone();
        tokio::spawn(async move {
            for _ in 0..targets.len() {
                let next = &targets[turn.fetch_add(1, Ordering::Relaxed) % targets.len()];
                let address = next.replace("http://localhost", "127.0.0.1");
                if let Ok(mut far) = TcpStream::connect(address).await {
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                    return;
                }
            }
        });
    }
}
