//! A small HTTP/1.1 client: one connection, one request in flight, loopback only. It costs a few
//! microseconds a request, so that the server under load is the bottleneck.

use std::{io, net::ToSocketAddrs};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Most headers of an answer.
const MAX_HEADERS: usize = 64;
/// Bytes that are made room for at each read.
const READ_SIZE: usize = 16 * 1024;

/// A connection that is kept alive.
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// How the end of a body is found.
#[derive(Clone, Copy)]
enum Framing {
    Length(usize),
    Chunked,
}

impl Connection {
    /// Connects to `host:port`, which must be loopback.
    pub(crate) async fn open(authority: &str) -> io::Result<Self> {
        let address = authority.to_socket_addrs()?.find(|address| address.ip().is_loopback());
        let address = address.ok_or_else(|| failure("not a loopback address"))?;
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::new() })
    }

    /// Sends a request and reads its answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.stream.write_all(request).await?;
        self.received.clear();
        let (mut answer, start, framing) = loop {
            self.read().await?;
            if let Some(head) = parse_head(&self.received)? {
                break head;
            }
        };
        answer.body = match framing {
            Framing::Length(length) => self.take(start, length).await?.to_vec(),
            Framing::Chunked => self.chunks(start).await?,
        };
        Ok(answer)
    }

    async fn chunks(&mut self, mut at: usize) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = loop {
                let rest = self.received.get(at..).unwrap_or_default();
                match rest.windows(2).position(|pair| pair == b"\r\n") {
                    Some(length) => break String::from_utf8_lossy(&rest[..length]).into_owned(),
                    None => self.read().await?,
                }
            };
            let size = usize::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16);
            let size = size.map_err(|_| failure("the size of a chunk cannot be read"))?;
            at += line.len() + 2;
            body.extend_from_slice(self.take(at, size + 2).await?.get(..size).unwrap_or_default());
            at += size + 2;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    /// Bytes of the answer, which are waited for.
    async fn take(&mut self, start: usize, length: usize) -> io::Result<&[u8]> {
        while self.received.len() < start + length {
            self.read().await?;
        }
        Ok(&self.received[start..start + length])
    }

    async fn read(&mut self) -> io::Result<()> {
        self.received.reserve(READ_SIZE);
        match self.stream.read_buf(&mut self.received).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// Status and headers, where the body starts and how it ends; `None` while the head is incomplete.
fn parse_head(received: &[u8]) -> io::Result<Option<(Answer, usize, Framing)>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(start) = head.parse(received).map_err(io::Error::other)? else {
        return Ok(None);
    };
    let text = |header: &httparse::Header<'_>| {
        (header.name.to_lowercase(), String::from_utf8_lossy(header.value).into_owned())
    };
    let headers: Vec<(String, String)> = head.headers.iter().map(text).collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let framing = match length {
        Some((_, length)) => Framing::Length(length.parse().map_err(io::Error::other)?),
        None if headers.iter().any(|(name, _)| name == "transfer-encoding") => Framing::Chunked,
        None => Framing::Length(0),
    };
    let answer = Answer { status: head.code.unwrap_or_default(), headers, body: Vec::new() };
    Ok(Some((answer, start, framing)))
}

fn failure(why: &str) -> io::Error {
    io::Error::other(why)
}
