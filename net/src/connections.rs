//! Serves a router over HTTP/1.1 with limits on every phase of a connection, so that idle and slow
//! clients cannot keep others out.
//!
//! HTTP/2 is for the proxy in front, which also has the certificate.

mod idle;
mod lingering;
mod open_files;

use std::{
    convert::Infallible, future::Future, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, Response},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulConnection, GracefulShutdown},
};
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tower::ServiceExt;

use self::{
    idle::{Connection, IdleConnections, ResponseBody},
    lingering::Lingering,
};
use crate::unread_body;

/// How long connections may take, and how many there may be.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// From when the server listens for a request to the end of the request's head. So long also
    /// lives a connection on which nothing is asked.
    head: Duration,
    /// For requests under way to finish once the server is told to stop.
    drain: Duration,
    /// Connections at once. One more takes the place of one on which nothing is asked, or waits.
    connections: usize,
}

impl Limits {
    fn with_connections(connections: usize) -> Self {
        Self { head: Duration::from_secs(30), drain: Duration::from_secs(10), connections }
    }
}

/// How long what was sent may stay unread, or the other side silent although it is asked.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(60);
/// The pause after the machine could not accept a connection, for want of file descriptors above
/// all.
const ACCEPT_RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Listens on `address`, where programs called `listen_setting` and `url_setting` say where that is
/// and what others call it.
///
/// # Errors
/// When another program has the port, or this one may not listen there. The message is for the
/// operator: it names the setting to change.
pub async fn bind(
    address: SocketAddr,
    listen_setting: &str,
    url_setting: &str,
) -> io::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let message = if error.kind() == io::ErrorKind::AddrInUse {
            let port = address.port();
            format!(
                "port {port} is taken by another program; stop it, or set {listen_setting} and \
                 {url_setting}"
            )
        } else {
            format!("cannot listen on {address}: {error}; check {listen_setting}")
        };
        io::Error::new(error.kind(), message)
    })
}

/// Serves `router` until `shutdown`, then lets the requests under way finish, for 10 seconds at
/// most: a client that never ends its request must not keep the server from stopping. Handlers find
/// the sender's address as [`ConnectInfo<SocketAddr>`].
///
/// Raises the limit on open files of this process as far as it may, and accepts as many connections
/// at once as it leaves room for, 10,000 at most.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    let open_files = open_files::raise_limit();
    let limits = Limits::with_connections(open_files::max_connections(open_files));
    tracing::info!(connections = limits.connections, open_files, "accepting connections");
    serve_within(limits, listener, router, shutdown).await;
}

async fn serve_within(
    limits: Limits,
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let idle = Arc::new(IdleConnections::default());
    let under_way = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let next = async {
            let accepted = accept(&listener, &idle).await;
            (accepted, place(&places, &idle).await)
        };
        let ((stream, address), place) = tokio::select! {
            next = next => next,
            () = &mut shutdown => break,
        };
        let entry = idle.add();
        let connection = connection(stream, address, router.clone(), entry.clone(), limits);
        let connection = under_way.watch(connection);
        tokio::spawn(async move {
            let served = async {
                tokio::select! {
                    ended = connection => ended,
                    () = entry.evicted() => Ok(()),
                }
            };
            if let Err(error) = served.await {
                tracing::debug!(cause = %error, "a connection ended early");
            }
            entry.remove();
            drop(place);
        });
    }
    drop(listener);
    if timeout(limits.drain, under_way.shutdown()).await.is_err() {
        tracing::warn!("stopped, although requests were still under way");
    }
}

/// A place for one more connection. When all are taken, idle connections make room.
async fn place(places: &Arc<Semaphore>, idle: &IdleConnections) -> Option<OwnedSemaphorePermit> {
    if let Ok(place) = places.clone().try_acquire_owned() {
        return Some(place);
    }
    idle.evict_oldest();
    places.clone().acquire_owned().await.ok()
}

/// The next connection. What goes wrong with one says nothing of those after it.
async fn accept(listener: &TcpListener, idle: &IdleConnections) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                tracing::error!(cause = %error, "cannot accept connections");
                // It may have held the file that was wanting.
                idle.evict_oldest();
                sleep(ACCEPT_RETRY_INTERVAL).await;
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
    entry: Arc<Connection>,
    limits: Limits,
) -> impl GracefulConnection<Output = hyper::Result<()>> + Send {
    prepare(&stream);
    let stream = Lingering::new(stream, entry.clone());
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(address));
        answer(router.clone(), request, entry.clone())
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .serve_connection(TokioIo::new(stream), service)
}

/// Answers a request, and says so if the connection ends with it.
async fn answer(
    router: Router,
    request: Request<Incoming>,
    entry: Arc<Connection>,
) -> Result<Response<ResponseBody<Body>>, Infallible> {
    let under_way = entry.answer();
    let (request, rest) = unread_body::watch(request.map(Body::new), move || entry.stop_waiting());
    let mut response = router.oneshot(request).await?;
    rest.drain(&mut response).await;
    Ok(response.map(|body| under_way.until_end_of(body)))
}

/// A socket that refuses any of this is still usable.
fn prepare(stream: &TcpStream) {
    // Small answers must not wait for the next packet.
    let _ = stream.set_nodelay(true);
    let socket = SockRef::from(stream);
    // Whoever has gone without a word is noticed, and so is whoever does not read.
    let _ = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(SILENCE_TIMEOUT));
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = socket.set_tcp_user_timeout(Some(SILENCE_TIMEOUT));
}

#[cfg(test)]
mod tests;
