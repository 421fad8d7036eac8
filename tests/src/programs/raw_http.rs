//! HTTP/1.1 as a test writes it, byte by byte: requests that no HTTP client would send.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// What has not happened by now never will.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct RawHttp(TcpStream);

#[derive(Debug)]
pub struct RawAnswer {
    pub status: u16,
    /// Status line and headers, in lower case.
    pub head: String,
    pub body: String,
}

impl RawHttp {
    /// Connects to the host and port of a URL.
    pub async fn connect(url: &str) -> Self {
        let url = url::Url::parse(url).expect("a URL");
        let port = url.port().expect("a port");
        let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        Self(stream)
    }

    /// Writes some bytes, and lets a server in this thread see them before the next ones. A server
    /// that has ended the connection does not read them; its answer may still be there.
    pub async fn write(&mut self, text: &str) {
        let _ = self.0.write_all(text.as_bytes()).await;
        // The runtime looks at its sockets each 61 turns.
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
    }

    /// Writes a whole text, and fails if the server closed the connection meanwhile.
    pub async fn write_all(&mut self, text: &str) -> std::io::Result<()> {
        self.0.write_all(text.as_bytes()).await
    }

    pub async fn answer(&mut self) -> RawAnswer {
        timeout(PATIENCE, self.read_answer()).await.expect("an answer in time")
    }

    /// Sends all of a request and reads the answer.
    pub async fn send(&mut self, request: &str) -> RawAnswer {
        self.write(request).await;
        self.answer().await
    }

    async fn read_answer(&mut self) -> RawAnswer {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.expect("an answer before the connection ends"));
        }
        let head = String::from_utf8(head).expect("text").to_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split_once('\r'));
        let length = length.map_or(0, |(length, _)| length.parse().expect("a length"));
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.expect("a whole body");
        let body = String::from_utf8(body).expect("text");
        RawAnswer { status: status.expect("a status"), head, body }
    }

    /// All that the server still says until it ends its side or cuts the connection.
    pub async fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        let read = timeout(PATIENCE, self.0.read_to_end(&mut rest)).await;
        drop(read.expect("an end in time"));
        String::from_utf8(rest).expect("text")
    }

    /// Waits until the server has ended its side. An error means that it cut the connection.
    pub async fn end(&mut self) -> std::io::Result<()> {
        let mut rest = Vec::new();
        timeout(PATIENCE, self.0.read_to_end(&mut rest)).await.expect("an end in time").map(drop)
    }

    /// Whether the server still keeps the connection open, with nothing to say.
    pub fn is_open(&self) -> bool {
        let mut byte = [0];
        self.0
            .try_read(&mut byte)
            .is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }
}
