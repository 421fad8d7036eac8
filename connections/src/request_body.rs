//! Request bodies that a handler leaves unread.
//!
//! A handler may answer before the body has arrived, as a refusal does. If the connection then just
//! closed, a client that is still sending would lose the answer, and one that has sent everything
//! would find its next request unanswered. So the rest of the body is read first, within limits;
//! beyond them the answer says `Connection: close` (RFC 9112 §9.6).

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::{
    sync::oneshot::{self, error::TryRecvError},
    time::timeout,
};

use crate::idle::Connection;

/// Bytes of an unread body that are read for the sake of the connection.
const MAX_DRAINED: u64 = 256 * 1024;
/// How long to wait for them. The answer waits for as long.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// A request body. When it is dropped before its end, it hands the rest to its [`Rest`].
pub(crate) struct RequestBody {
    /// `None` once it has ended.
    incoming: Option<Incoming>,
    was_polled: bool,
    rest: Option<oneshot::Sender<Unread>>,
    connection: Arc<Connection>,
}

/// What a handler has left of a body.
struct Unread {
    incoming: Incoming,
    was_polled: bool,
}

/// Receives what the handler leaves of a body.
pub(crate) struct Rest {
    unread: oneshot::Receiver<Unread>,
    waits_for_continue: bool,
}

/// Watches how much of a body is read. `waits_for_continue` says whether the client sends the body
/// only when asked to (`Expect: 100-continue`).
pub(crate) fn watch(
    incoming: Incoming,
    waits_for_continue: bool,
    connection: Arc<Connection>,
) -> (RequestBody, Rest) {
    let (rest, unread) = oneshot::channel();
    let (incoming, rest) = (Some(incoming), Some(rest));
    let body = RequestBody { incoming, was_polled: false, rest, connection };
    (body, Rest { unread, waits_for_continue })
}

impl Rest {
    /// Reads what the handler left. The answer is whether the connection can take another request.
    pub(crate) async fn drain(mut self) -> bool {
        let unread = match self.unread.try_recv() {
            Ok(unread) => unread,
            // The handler has read everything.
            Err(TryRecvError::Closed) => return true,
            // Something still reads, and nobody knows whether it will reach the end.
            Err(TryRecvError::Empty) => return false,
        };
        // Reading would tell the client to send a body that nobody wants (RFC 9110 §10.1.1).
        if self.waits_for_continue && !unread.was_polled {
            return false;
        }
        let incoming = unread.incoming;
        incoming.size_hint().lower() <= MAX_DRAINED
            && timeout(DRAIN_TIMEOUT, read_to_end(incoming)).await.unwrap_or(false)
    }
}

/// Whether a body ends within the limit.
async fn read_to_end(mut incoming: Incoming) -> bool {
    let mut left = MAX_DRAINED;
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut incoming).poll_frame(cx)).await {
        let Ok(frame) = frame else {
            return false;
        };
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return false,
        }
    }
    true
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        this.was_polled = true;
        let Some(incoming) = &mut this.incoming else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(&mut *incoming).poll_frame(cx));
        if incoming.is_end_stream() || !matches!(frame, Some(Ok(_))) {
            this.connection.stop_waiting();
            this.incoming = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let unread = self.incoming.take().filter(|incoming| !incoming.is_end_stream());
        if let (Some(incoming), Some(rest)) = (unread, self.rest.take()) {
            // Nobody waits for it once the client is gone.
            let _ = rest.send(Unread { incoming, was_polled: self.was_polled });
        }
    }
}
