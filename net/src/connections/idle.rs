//! Connections that wait for a request, or for the rest of one, and can be closed to make room for
//! a new connection.
//!
//! Without this, a client that opens the maximum number of connections and sends nothing would lock
//! out everybody else until the first of them times out.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::Notify;

/// The idle connections of a server.
#[derive(Default)]
pub(crate) struct IdleConnections(Mutex<Table>);

#[derive(Default)]
struct Table {
    /// The longest idle connection comes first, because numbers only grow.
    by_number: BTreeMap<u64, Arc<Connection>>,
    last_number: u64,
    /// Whether the next connection to become idle must close at once.
    evict_next: bool,
}

/// A connection, idle or not.
pub(crate) struct Connection {
    /// Its number in the table; 0 from the end of a request to the end of its response.
    number: AtomicU64,
    /// Whether a response is complete that may not have been written to the socket yet.
    is_answered: AtomicBool,
    /// Notified when the connection must close.
    evicted: Notify,
    all: Arc<IdleConnections>,
}

/// A request in progress: from its head to the end of its response.
pub(crate) struct InProgress(Arc<Connection>);

/// A response body; the request is in progress until it is dropped.
pub(crate) struct ResponseBody<B> {
    body: B,
    _in_progress: InProgress,
}

impl IdleConnections {
    /// Adds a connection that waits for its first request.
    pub(crate) fn add(self: &Arc<Self>) -> Arc<Connection> {
        let mut table = self.table();
        table.evict_next = false;
        let number = table.next_number();
        let connection = Arc::new(Connection {
            number: AtomicU64::new(number),
            is_answered: AtomicBool::new(false),
            evicted: Notify::new(),
            all: self.clone(),
        });
        table.by_number.insert(number, connection.clone());
        connection
    }

    /// Closes the longest idle connection, or else the next to become idle.
    pub(crate) fn evict_oldest(&self) {
        let mut table = self.table();
        match table.by_number.pop_first() {
            Some((_, connection)) => connection.evicted.notify_one(),
            None => table.evict_next = true,
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }
}

impl Connection {
    /// Starts a request whose head has arrived.
    pub(crate) fn start_request(self: &Arc<Self>) -> InProgress {
        self.is_answered.store(false, Ordering::Relaxed);
        InProgress(self.clone())
    }

    /// Takes the connection off the table: the request has arrived, or the rest is not waited for.
    pub(crate) fn stop_waiting(&self) {
        let mut table = self.all.table();
        table.by_number.remove(&self.number.swap(0, Ordering::Relaxed));
    }

    /// Notes that everything has been written to the socket. Only then is the connection idle, so
    /// closing it costs the client no response.
    pub(crate) fn flushed(self: &Arc<Self>) {
        if self.is_answered.swap(false, Ordering::Relaxed) {
            self.become_idle();
        }
    }

    /// Completes when the connection must close. If its request has arrived in the meantime, another
    /// connection is closed instead.
    pub(crate) async fn evicted(&self) {
        loop {
            self.evicted.notified().await;
            if self.number.load(Ordering::Relaxed) != 0 {
                return;
            }
            self.all.evict_oldest();
        }
    }

    /// Removes a connection that has ended.
    pub(crate) fn remove(&self) {
        self.all.table().by_number.remove(&self.number.load(Ordering::Relaxed));
    }

    fn become_idle(self: &Arc<Self>) {
        let mut table = self.all.table();
        let number = table.next_number();
        self.number.store(number, Ordering::Relaxed);
        if table.evict_next {
            table.evict_next = false;
            self.evicted.notify_one();
        } else {
            table.by_number.insert(number, self.clone());
        }
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        self.0.is_answered.store(true, Ordering::Relaxed);
    }
}

impl InProgress {
    /// Keeps the request in progress as long as `body`.
    pub(crate) fn until_end_of<B>(self, body: B) -> ResponseBody<B> {
        ResponseBody { body, _in_progress: self }
    }
}

impl<B: Body + Unpin> Body for ResponseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
