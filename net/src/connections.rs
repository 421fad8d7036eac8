//! Serves a router over HTTP/1.1 with limits on every phase of a connection, so that idle and slow
//! clients cannot keep others out.
//!
//! TLS and HTTP/2 are left to the proxy in front.

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

/// How long a client may take from an accepted connection, or from its last response, to the end of
/// the next request head. An idle connection is closed after this time.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long requests in progress may take to finish once the server is told to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the peer may leave sent bytes or keep-alive probes unacknowledged.
const UNACKNOWLEDGED_TIMEOUT: Duration = Duration::from_secs(60);
/// The pause after a failure to accept a connection, which usually means that the process is out of
/// file descriptors.
const ACCEPT_RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// The limits of a server, which tests shorten.
#[derive(Clone, Copy, Debug)]
struct Limits {
    head_timeout: Duration,
    drain_timeout: Duration,
    /// Open connections. When there are so many, a new one replaces an idle one, or waits.
    max_connections: usize,
}

impl Limits {
    fn with_connections(max_connections: usize) -> Self {
        Self { head_timeout: HEAD_TIMEOUT, drain_timeout: DRAIN_TIMEOUT, max_connections }
    }
}

/// Listens on `address`, which the operator chose by `listen_setting`. `url_setting` is the setting
/// that holds the server's public URL, so it contains the port as well.
///
/// # Errors
/// When the port is taken or may not be listened on. The message tells the operator which settings
/// to change.
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

/// Serves `router` until `shutdown` completes, then gives requests in progress 10 seconds to finish.
/// Handlers find the peer's address as [`ConnectInfo<SocketAddr>`].
///
/// This raises the process's soft limit on open files to the hard limit. The number of connections
/// is bounded by what that limit allows, and by 10,000.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    let open_files = open_files::raise_limit();
    let limits = Limits::with_connections(open_files::max_connections(open_files));
    tracing::info!(connections = limits.max_connections, open_files, "accepting connections");
    serve_within(limits, listener, router, shutdown).await;
}

async fn serve_within(
    limits: Limits,
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()>,
) {
    let permits = Arc::new(Semaphore::new(limits.max_connections));
    let idle = Arc::new(IdleConnections::default());
    let open_connections = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let next = async {
            let accepted = accept(&listener, &idle).await;
            (accepted, permit(&permits, &idle).await)
        };
        let ((stream, address), permit) = tokio::select! {
            next = next => next,
            () = &mut shutdown => break,
        };
        let entry = idle.add();
        let connection = connection(stream, address, router.clone(), entry.clone(), limits);
        let connection = open_connections.watch(connection);
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
            drop(permit);
        });
    }
    drop(listener);
    if timeout(limits.drain_timeout, open_connections.shutdown()).await.is_err() {
        tracing::warn!("stopped before all requests were answered");
    }
}

/// Waits for a permit to serve one more connection. If there is none, an idle connection is closed.
async fn permit(permits: &Arc<Semaphore>, idle: &IdleConnections) -> Option<OwnedSemaphorePermit> {
    if let Ok(permit) = permits.clone().try_acquire_owned() {
        return Some(permit);
    }
    idle.evict_oldest();
    permits.clone().acquire_owned().await.ok()
}

/// Accepts the next connection, whatever happens to others before it.
async fn accept(listener: &TcpListener, idle: &IdleConnections) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_connection_error(&error) => {}
            Err(error) => {
                tracing::error!(cause = %error, "cannot accept connections");
                // If the process is out of file descriptors, this frees one.
                idle.evict_oldest();
                sleep(ACCEPT_RETRY_INTERVAL).await;
            }
        }
    }
}

/// Whether the error is of the one connection that was to be accepted.
fn is_connection_error(error: &io::Error) -> bool {
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
    set_options(&stream);
    let stream = Lingering::new(stream, entry.clone());
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(address));
        answer(router.clone(), request, entry.clone())
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .serve_connection(TokioIo::new(stream), service)
}

/// Answers one request. If its body was left unread and cannot be drained, the response closes the
/// connection.
async fn answer(
    router: Router,
    request: Request<Incoming>,
    entry: Arc<Connection>,
) -> Result<Response<ResponseBody<Body>>, Infallible> {
    let in_progress = entry.start_request();
    let (request, rest) = unread_body::track(request.map(Body::new), move || entry.stop_waiting());
    let mut response = router.oneshot(request).await?;
    rest.drain(&mut response).await;
    Ok(response.map(|body| in_progress.until_end_of(body)))
}

/// Sets socket options. Errors are ignored, because the socket works without any of them.
fn set_options(stream: &TcpStream) {
    // Small responses must not wait for a full packet.
    let _ = stream.set_nodelay(true);
    let socket = SockRef::from(stream);
    // Keep-alive finds peers that have vanished; the user timeout those that stop reading.
    let _ = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(UNACKNOWLEDGED_TIMEOUT));
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED_TIMEOUT));
}

#[cfg(test)]
mod tests;
