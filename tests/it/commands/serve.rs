//! `auth` without a command: it serves, and stops when it is told to.

use tempfile::TempDir;
use tests::{
    programs::{
        client::http,
        process::{free_port, send_signal, start_server},
    },
    stack::{auth_options, program, write_secret},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::{Child, Command},
};

/// A server process of its own.
struct Server {
    child: Child,
    port: u16,
    data: TempDir,
}

impl Server {
    async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        write_secret(&data.path().join("secret"));
        let port = free_port().await;
        let issuer = format!("http://localhost:{port}");
        let nowhere = "http://localhost:1";
        let options = auth_options(data.path(), &issuer, nowhere, "http://localhost:1/mcp");
        let mut command = Command::new(program("auth"));
        command.args(&options[1..]).args(["--listen", &format!("127.0.0.1:{port}")]);
        command.arg("--story-file").arg(data.path().join("stories"));
        let (child, _) = start_server(&mut command, "is ready").await;
        Self { child, port, data }
    }

    /// Requests a page, and returns the request id.
    async fn open(&self, path: &str) -> String {
        let url = format!("http://localhost:{}{path}", self.port);
        let answer = http().get(url).send().await.unwrap();
        answer.headers()["x-request-id"].to_str().unwrap().to_owned()
    }

    fn has_story_of(&self, request_id: &str) -> bool {
        let stories = std::fs::read_to_string(self.data.path().join("stories")).unwrap();
        stories.contains(request_id)
    }

    /// A request whose body the server waits for.
    async fn begin_request(&self) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let head = "POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\
                    Content-Type: application/x-www-form-urlencoded\r\n\
                    Expect: 100-continue\r\nConnection: close\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut asked = [0; 25];
        stream.read_exact(&mut asked).await.unwrap();
        assert!(asked.starts_with(b"HTTP/1.1 100 Continue"));
        stream
    }
}

#[tokio::test]
async fn a_request_under_way_is_answered_before_the_server_stops() {
    let mut server = Server::start().await;
    let mut stream = server.begin_request().await;
    send_signal(&server.child, "-TERM").await;
    stream.write_all(b"code=none").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(server.child.wait().await.unwrap().success());
}

#[tokio::test]
async fn the_story_of_a_refusal_is_written_before_its_answer_and_all_others_before_the_server_stops()
 {
    let mut server = Server::start().await;
    let refused = server.open("/nothing").await;
    assert!(server.has_story_of(&refused));
    let answered = server.open("/jwks").await;
    send_signal(&server.child, "-TERM").await;
    assert!(server.child.wait().await.unwrap().success());
    assert!(server.has_story_of(&answered));
}
