//! Servers under a limit on open files, and more idle connections than that.

use tempfile::TempDir;
use tests::{
    programs::{
        process::{free_port, start_server},
        raw_http::RawHttp,
    },
    stack::{auth_options, program, write_secret},
};
use tokio::process::{Child, Command};

/// A server process of its own.
struct Server {
    _child: Child,
    url: String,
    /// What it said until it was ready and after.
    said: String,
    _data: TempDir,
}

impl Server {
    /// Starts `auth` or `mcp` from a shell that has set this limit.
    async fn start(name: &str, limit: &str) -> Self {
        let data = tempfile::tempdir().unwrap();
        write_secret(&data.path().join("secret"));
        let port = free_port().await;
        let url = format!("http://localhost:{port}");
        let resource = format!("{url}/mcp");
        let options = match name {
            "auth" => auth_options(data.path(), &url, "http://localhost:1", &resource),
            _ => ["mcp", "--resource", &resource].map(str::to_owned).to_vec(),
        };
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("ulimit {limit} && exec \"$0\" \"$@\"")])
            .arg(program(name))
            .args(&options[1..])
            .args(["--listen", &format!("127.0.0.1:{port}")]);
        let (child, said) = start_server(&mut command, "accepting connections").await;
        Self { _child: child, url, said, _data: data }
    }

    /// Opens connections that say nothing.
    async fn crowd(&self, count: usize) -> Vec<RawHttp> {
        let mut crowd = Vec::new();
        for _ in 0..count {
            crowd.push(RawHttp::connect(&self.url).await);
        }
        crowd
    }

    async fn is_healthy(&self) -> bool {
        let request = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
        RawHttp::connect(&self.url).await.send(request).await.status == 200
    }
}

#[tokio::test]
async fn a_soft_limit_on_open_files_is_raised_and_1100_idle_connections_stay() {
    for name in ["auth", "mcp"] {
        let server = Server::start(name, "-S -n 256").await;
        let crowd = server.crowd(1100).await;
        assert!(server.is_healthy().await, "{name}");
        assert!(crowd.iter().all(RawHttp::is_open), "{name}");
    }
}

#[tokio::test]
async fn under_a_hard_limit_idle_connections_make_room_for_an_honest_request() {
    for name in ["auth", "mcp"] {
        let server = Server::start(name, "-n 256").await;
        let said = &server.said;
        assert!(said.contains("connections=64 open_files=256"), "{name}: {said}");
        let _crowd = server.crowd(1100).await;
        assert!(server.is_healthy().await, "{name}");
    }
}
