//! Connections of clients that are slow, idle, or send more than a handler reads.

use axum::{
    body::{Bytes, to_bytes},
    http::StatusCode,
    routing::{get, post},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::oneshot,
    task::JoinHandle,
};

use super::*;

const MOMENT: Duration = Duration::from_millis(20);
/// How long a test waits for what the server should do.
const PATIENCE: Duration = Duration::from_secs(20);
/// Bytes of a response that does not fit into the buffers of a socket.
const LARGE: usize = 16 << 20;
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: a.test\r\n\r\n";

fn limits() -> Limits {
    Limits::with_connections(100)
}

/// Starts a server. Sending on, or dropping, the channel stops it; the task ends when it has.
async fn serving(limits: Limits) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopping) = oneshot::channel::<()>();
    let sender = |ConnectInfo(sender): ConnectInfo<SocketAddr>| async move { sender.to_string() };
    let begins = async |body: Body| to_bytes(body, 3).await.map_or("too much", |_| "little");
    let router = Router::new()
        .route("/", get(sender))
        .route("/refuses", post(async || StatusCode::UNAUTHORIZED))
        .route("/reads", post(async |body: Bytes| body.len().to_string()))
        .route("/begins", post(begins))
        .route("/large", get(async || "x".repeat(LARGE)))
        .route("/never", get(std::future::pending::<()>));
    let served = tokio::spawn(async move {
        let stopping = async { drop(stopping.await) };
        serve_within(limits, listener, router, stopping).await;
    });
    (address, stop, served)
}

/// Sends `text` and reads until the server closes the connection.
async fn said_to(address: SocketAddr, text: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text).await.unwrap();
    let mut said = Vec::new();
    let end = timeout(PATIENCE, stream.read_to_end(&mut said)).await;
    // A reset ends a connection as well.
    let _ = end.expect("the server has let the connection go");
    String::from_utf8(said).unwrap()
}

#[tokio::test]
async fn a_connection_is_let_go_that_asks_nothing_or_never_ends_asking() {
    let (address, _stop, _served) = serving(Limits { head_timeout: MOMENT, ..limits() }).await;
    for beginning in ["", "G", "PRI", "GET / HTTP/1.1\r\nhost: a.test\r\nx: "] {
        let said = said_to(address, beginning.as_bytes()).await;
        assert!(!said.contains("200 OK"), "{beginning:?}");
    }
}

#[tokio::test]
async fn a_connection_is_let_go_after_its_last_request() {
    let (address, _stop, _served) = serving(Limits { head_timeout: MOMENT, ..limits() }).await;
    let said = said_to(address, &[REQUEST, REQUEST].concat()).await;
    assert_eq!(said.matches("200 OK").count(), 2, "{said}");
}

#[tokio::test]
async fn a_request_that_comes_in_pieces_is_answered_with_the_address_of_its_sender() {
    let (address, _stop, _served) = serving(limits()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    for piece in REQUEST.chunks(5) {
        stream.write_all(piece).await.unwrap();
        tokio::task::yield_now().await;
    }
    let mut answer = vec![0; 512];
    let length = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    assert!(answer.ends_with(&stream.local_addr().unwrap().to_string()), "{answer}");
}

#[tokio::test]
async fn half_a_request_does_not_keep_the_server_from_stopping() {
    for half in
        ["GET / HTTP/1.1\r\nhost:", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n"]
    {
        let (address, stop, served) = serving(Limits { drain_timeout: MOMENT, ..limits() }).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(half.as_bytes()).await.unwrap();
        let whole =
            said_to(address, b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
        assert!(whole.contains("200 OK"));
        stop.send(()).unwrap();
        let end = timeout(PATIENCE, served).await;
        end.expect("the server has stopped").unwrap();
    }
    assert_eq!(Limits::with_connections(1).drain_timeout, Duration::from_secs(10));
}

/// A client that writes raw text and reads one response at a time.
struct Raw(TcpStream);

impl Raw {
    async fn connect(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    async fn write(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads head and body of the next response.
    async fn answer(&mut self) -> String {
        let mut answer = String::new();
        let read = async {
            while !answer.ends_with("\r\n\r\n") {
                answer.push(char::from(self.0.read_u8().await.unwrap()));
            }
            let length = answer.split("content-length: ").nth(1);
            let length =
                length.map_or(0, |rest| rest.split("\r\n").next().unwrap().parse().unwrap());
            let mut body = vec![0; length];
            self.0.read_exact(&mut body).await.unwrap();
            answer.push_str(&String::from_utf8(body).unwrap());
        };
        timeout(PATIENCE, read).await.expect("an answer");
        answer
    }

    /// Reads until the server closes its side. False if the connection was reset instead.
    async fn has_ended(&mut self) -> bool {
        let mut rest = Vec::new();
        timeout(PATIENCE, self.0.read_to_end(&mut rest)).await.expect("an end").is_ok()
    }
}

fn head(path: &str, headers: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: a.test\r\n{headers}\r\n")
}

#[tokio::test]
async fn a_refusal_before_the_body_has_come_leaves_the_connection_usable() {
    let (address, _stop, _served) = serving(limits()).await;
    let mut raw = Raw::connect(address).await;
    for (headers, body) in [
        ("content-length: 5\r\n", "12345"),
        ("transfer-encoding: chunked\r\n", "5\r\n12345\r\n0\r\n\r\n"),
    ] {
        for path in ["/refuses", "/nothing", "/", "/begins"] {
            raw.write(&head(path, headers)).await;
            tokio::task::yield_now().await;
            raw.write(body).await;
            let answer = raw.answer().await;
            assert!(!answer.contains("connection: close"), "{path}: {answer}");
        }
    }
    raw.write(&format!("{}123", head("/reads", "content-length: 3\r\n"))).await;
    assert!(raw.answer().await.ends_with("\r\n\r\n3"));
}

#[tokio::test]
async fn a_refusal_of_a_body_that_is_too_large_or_never_comes_says_that_the_connection_ends() {
    let (address, _stop, _served) = serving(limits()).await;
    let large = "x".repeat(8 << 20);
    for (headers, body) in [
        ("content-length: 5\r\n", ""),
        ("content-length: 5\r\n", "1234"),
        ("content-length: 8388608\r\n", &large),
        ("transfer-encoding: chunked\r\n", &format!("800000\r\n{large}\r\n")),
    ] {
        let mut raw = Raw::connect(address).await;
        raw.write(&head("/refuses", headers)).await;
        // The answer is there to be read, although all of this is written before.
        raw.write(body).await;
        let answer = raw.answer().await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        assert!(answer.contains("connection: close"), "{answer}");
        assert!(raw.has_ended().await, "{headers}");
    }
}

#[tokio::test]
async fn a_client_that_waits_to_be_asked_for_its_body_is_asked_only_where_it_is_read() {
    let (address, _stop, _served) = serving(limits()).await;
    let expecting = "expect: 100-continue\r\ncontent-length: 3\r\n";
    let mut raw = Raw::connect(address).await;
    raw.write(&head("/reads", expecting)).await;
    assert!(raw.answer().await.starts_with("HTTP/1.1 100"));
    raw.write("123").await;
    assert!(raw.answer().await.ends_with("\r\n\r\n3"));

    raw.write(&head("/refuses", expecting)).await;
    let answer = raw.answer().await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    assert!(raw.has_ended().await);
}

#[tokio::test]
async fn a_head_that_cannot_be_read_is_answered_although_more_of_it_is_on_its_way() {
    let (address, _stop, _served) = serving(limits()).await;
    for head in ["GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\nhost: a\r\nx y\r\n\r\n"] {
        let mut raw = Raw::connect(address).await;
        raw.write(&format!("{head}{}", "x".repeat(100_000))).await;
        let answer = raw.answer().await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        assert!(raw.has_ended().await);
    }
}

#[tokio::test]
async fn when_all_places_are_taken_the_connection_that_has_been_idle_for_longest_makes_room() {
    let (address, _stop, _served) = serving(Limits::with_connections(4)).await;
    let mut busy = Raw::connect(address).await;
    busy.write("GET /never HTTP/1.1\r\nhost: a.test\r\n\r\n").await;
    let mut silent = Raw::connect(address).await;
    let mut slow = Raw::connect(address).await;
    slow.write("GET / HTTP/1.1\r\nhost:").await;
    let mut slower = Raw::connect(address).await;
    slower.write(&format!("{}1", head("/reads", "content-length: 3\r\n"))).await;
    let mut served = Vec::new();
    for idle in [&mut silent, &mut slow, &mut slower] {
        let mut honest = Raw::connect(address).await;
        for _ in 0..2 {
            honest.write(std::str::from_utf8(REQUEST).unwrap()).await;
            assert!(honest.answer().await.starts_with("HTTP/1.1 200"));
        }
        idle.has_ended().await;
        served.push(honest);
    }
    // A thousand more idle connections neither keep others out nor end a request.
    let mut crowd = Vec::new();
    for _ in 0..1000 {
        crowd.push(Raw::connect(address).await);
    }
    let mut honest = Raw::connect(address).await;
    honest.write(std::str::from_utf8(REQUEST).unwrap()).await;
    assert!(honest.answer().await.starts_with("HTTP/1.1 200"));
    let waiting = timeout(MOMENT, busy.0.read_u8()).await;
    assert!(waiting.is_err(), "the request under way goes on");
}

#[tokio::test]
async fn a_large_answer_that_is_read_slowly_arrives_although_others_wait_for_the_place() {
    let (address, _stop, _served) = serving(Limits::with_connections(1)).await;
    let mut slow = Raw::connect(address).await;
    slow.write("GET /large HTTP/1.1\r\nhost: a.test\r\n\r\n").await;
    slow.0.peek(&mut [0]).await.unwrap();
    let mut second = Raw::connect(address).await;
    second.write(std::str::from_utf8(REQUEST).unwrap()).await;
    assert!(timeout(MOMENT, second.0.read_u8()).await.is_err(), "the only place is taken");
    assert!(slow.answer().await.ends_with(&"x".repeat(LARGE)));
    assert!(second.answer().await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_with_the_settings_to_change() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    let refused = bind(address, "A_LISTEN", "A_URL").await.unwrap_err().to_string();
    let port = address.port();
    let expected =
        format!("port {port} is taken by another program; stop it, or set A_LISTEN and A_URL");
    assert_eq!(refused, expected);
}
