//! Which connections wait for a request, or for the rest of one, so that one can make room for a new
//! connection.
//!
//! Without this, a stranger who opens as many connections as are accepted and says nothing more would
//! keep everybody else waiting until the first of them times out.

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

/// All idle connections of a server.
#[derive(Default)]
pub(crate) struct IdleConnections(Mutex<Table>);

#[derive(Default)]
struct Table {
    /// By a number that grows with time: the one that has been idle for longest comes first.
    by_number: BTreeMap<u64, Arc<Connection>>,
    last_number: u64,
    /// Whether the next to become idle must make room at once.
    is_wanted: bool,
}

/// A connection, idle or not.
pub(crate) struct Connection {
    /// Its number in the table; 0 from the end of a request to the end of its answer.
    number: AtomicU64,
    /// Whether the answer is complete, and may not have left this process yet.
    is_answered: AtomicBool,
    /// Told when it must make room.
    evicted: Notify,
    all: Arc<IdleConnections>,
}

/// A request, from its head until its answer is complete.
pub(crate) struct UnderWay(Arc<Connection>);

/// A response body, with whose end the answer is complete.
pub(crate) struct ResponseBody<B> {
    body: B,
    _under_way: UnderWay,
}

impl IdleConnections {
    /// A new connection, which has its place and waits for its first request.
    pub(crate) fn add(self: &Arc<Self>) -> Arc<Connection> {
        let mut table = self.table();
        table.is_wanted = false;
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

    /// Tells the connection that has been idle for longest to close, or the next that will be idle.
    pub(crate) fn evict_oldest(&self) {
        let mut table = self.table();
        match table.by_number.pop_first() {
            Some((_, connection)) => connection.evicted.notify_one(),
            None => table.is_wanted = true,
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
    /// The head of a request has come.
    pub(crate) fn answer(self: &Arc<Self>) -> UnderWay {
        self.is_answered.store(false, Ordering::Relaxed);
        UnderWay(self.clone())
    }

    /// The whole request has come, or no more of it is waited for.
    pub(crate) fn stop_waiting(&self) {
        let mut table = self.all.table();
        table.by_number.remove(&self.number.swap(0, Ordering::Relaxed));
    }

    /// Everything that was written has left this process. A connection is idle no sooner: closing it
    /// takes nothing from its client.
    pub(crate) fn flushed(self: &Arc<Self>) {
        if self.is_answered.swap(false, Ordering::Relaxed) {
            self.become_idle();
        }
    }

    /// Completes when the connection must close. One whose request is complete by now stays, and
    /// another makes room instead.
    pub(crate) async fn evicted(&self) {
        loop {
            self.evicted.notified().await;
            if self.number.load(Ordering::Relaxed) != 0 {
                return;
            }
            self.all.evict_oldest();
        }
    }

    /// The connection has ended.
    pub(crate) fn remove(&self) {
        self.all.table().by_number.remove(&self.number.load(Ordering::Relaxed));
    }

    fn become_idle(self: &Arc<Self>) {
        let mut table = self.all.table();
        let number = table.next_number();
        self.number.store(number, Ordering::Relaxed);
        if table.is_wanted {
            table.is_wanted = false;
            self.evicted.notify_one();
        } else {
            table.by_number.insert(number, self.clone());
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.is_answered.store(true, Ordering::Relaxed);
    }
}

impl UnderWay {
    /// Lasts as long as `body`.
    pub(crate) fn until_end_of<B>(self, body: B) -> ResponseBody<B> {
        ResponseBody { body, _under_way: self }
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
