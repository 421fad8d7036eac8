//! Serves a router over HTTP/1.1, and no connection for ever: who says nothing, who never ends a
//! request's head and who never reads the answer is let go, so that strangers cannot take the
//! places of all others.
//!
//! HTTP/2 is for the proxy in front, which also has the certificate.

use std::{future::Future, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulConnection, GracefulShutdown},
};
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tower::ServiceExt;

/// How long connections may take.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// From when the server listens for a request to the end of the request's head. So long also
    /// lives a connection on which nothing is asked.
    head: Duration,
    /// For requests under way to finish once the server is told to stop.
    drain: Duration,
}

const LIMITS: Limits = Limits { head: Duration::from_secs(30), drain: Duration::from_secs(10) };
/// How long what was sent may stay unread, or the other side silent although it is asked.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);
/// Most connections at once. The next wait until one of these has ended.
const MOST_CONNECTIONS: usize = 10_000;
/// The pause after the machine could not accept a connection, for want of file descriptors above
/// all.
const PAUSE: Duration = Duration::from_secs(1);

/// Serves `router` until `shutdown`, then lets the requests under way finish, for 10 seconds at
/// most: a client that never ends its request must not keep the server from stopping. Handlers find
/// the sender's address as [`ConnectInfo<SocketAddr>`].
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    serve_within(LIMITS, listener, router, shutdown).await;
}

async fn serve_within(
    limits: Limits,
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let under_way = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let next = async { (places.clone().acquire_owned().await, accept(&listener).await) };
        let (place, (stream, address)) = tokio::select! {
            next = next => next,
            () = &mut shutdown => break,
        };
        let connection = connection(stream, address, router.clone(), limits);
        let connection = under_way.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(cause = %error, "a connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    if timeout(limits.drain, under_way.shutdown()).await.is_err() {
        tracing::warn!("stopped, although requests were still under way");
    }
}

/// The next connection. What goes wrong with one says nothing of those after it.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                tracing::error!(cause = %error, "cannot accept connections");
                sleep(PAUSE).await;
            }
        }
    }
}

fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

fn connection(
    stream: TcpStream,
    address: SocketAddr,
    router: Router,
    limits: Limits,
) -> impl GracefulConnection<Output = hyper::Result<()>> + Send {
    prepare(&stream);
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(address));
        router.clone().oneshot(request)
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .serve_connection(TokioIo::new(stream), service)
}

/// A socket that refuses any of this is still usable.
fn prepare(stream: &TcpStream) {
    // Small answers must not wait for the next packet.
    let _ = stream.set_nodelay(true);
    let socket = SockRef::from(stream);
    // Whoever has gone without a word is noticed, and so is whoever does not read.
    let _ = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(LONGEST_SILENCE));
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = socket.set_tcp_user_timeout(Some(LONGEST_SILENCE));
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        sync::oneshot,
        task::JoinHandle,
    };

    use super::*;

    const MOMENT: Duration = Duration::from_millis(20);
    /// What has not happened by now never will.
    const PATIENCE: Duration = Duration::from_secs(20);
    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: a.test\r\n\r\n";

    /// A server, what stops it when it is sent or dropped, and its end.
    async fn serving(limits: Limits) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopping) = oneshot::channel::<()>();
        let sender =
            |ConnectInfo(sender): ConnectInfo<SocketAddr>| async move { sender.to_string() };
        let router = Router::new().route("/", get(sender));
        let served = tokio::spawn(async move {
            let stopping = async { drop(stopping.await) };
            serve_within(limits, listener, router, stopping).await;
        });
        (address, stop, served)
    }

    /// All that the server says after `text`, until it closes the connection.
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
        let (address, _stop, _served) = serving(Limits { head: MOMENT, ..LIMITS }).await;
        for beginning in ["", "G", "PRI", "GET / HTTP/1.1\r\nhost: a.test\r\nx: "] {
            let said = said_to(address, beginning.as_bytes()).await;
            assert!(!said.contains("200 OK"), "{beginning:?}");
        }
    }

    #[tokio::test]
    async fn a_connection_is_let_go_after_its_last_request() {
        let (address, _stop, _served) = serving(Limits { head: MOMENT, ..LIMITS }).await;
        let said = said_to(address, &[REQUEST, REQUEST].concat()).await;
        assert_eq!(said.matches("200 OK").count(), 2, "{said}");
    }

    #[tokio::test]
    async fn a_request_that_comes_in_pieces_is_answered_with_the_address_of_its_sender() {
        let (address, _stop, _served) = serving(LIMITS).await;
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
        let (address, stop, served) = serving(Limits { drain: MOMENT, ..LIMITS }).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
        let whole =
            said_to(address, b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
        assert!(whole.contains("200 OK"));
        stop.send(()).unwrap();
        let end = timeout(PATIENCE, served).await;
        end.expect("the server has stopped").unwrap();
    }
}
