//! Request bodies that a handler leaves unread.
//!
//! A handler may respond before the body has arrived, for example to refuse the request. If the
//! connection were closed at that point, a client that is still sending would lose the response, and
//! one that has sent everything would get no answer to its next request. So the rest of the body is
//! read first, within limits. Beyond them the response says `Connection: close` (RFC 9112 §9.6).

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::{
        HeaderValue, Version,
        header::{CONNECTION, EXPECT},
    },
    middleware::Next,
    response::Response,
};
use http_body::{Frame, SizeHint};
use tokio::{
    sync::oneshot::{self, error::TryRecvError},
    time::timeout,
};

/// Bytes of an unread body that are read to keep the connection open.
const MAX_DRAINED: u64 = 256 * 1024;
/// How long to read. The response is held back meanwhile.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// A request body that sends what is left of it to its [`Rest`] when it is dropped.
struct RequestBody<F> {
    /// `None` once it has ended.
    body: Option<Body>,
    was_polled: bool,
    rest: Option<oneshot::Sender<Unread>>,
    on_received: F,
}

/// The unread part of a body.
struct Unread {
    body: Body,
    was_polled: bool,
}

/// Marks a request whose body is tracked, so that layers around each other do it once.
#[derive(Clone)]
struct IsTracked;

/// Receives the part of a body that the handler does not read.
pub struct Rest<F> {
    /// `None` if the request has no body.
    unread: Option<oneshot::Receiver<Unread>>,
    waits_for_continue: bool,
    on_received: F,
}

/// Middleware that reads the rest of a request body which the handler has not read. If that is too
/// large or too slow, the response says `Connection: close`.
///
/// Routers that `connections::serve` serves have this already.
pub async fn drain_unread_body(request: Request, next: Next) -> Response {
    let (request, rest) = track(request, || ());
    let mut response = next.run(request).await;
    rest.drain(&mut response).await;
    response
}

/// Tracks how much of a request's body is read, unless an outer layer does so. `on_received` is called,
/// perhaps more than once, when the whole request has arrived or the server stops waiting for the rest.
pub fn track<F>(mut request: Request, on_received: F) -> (Request, Rest<F>)
where
    F: Fn() + Clone + Send + Unpin + 'static,
{
    let mut rest = Rest {
        unread: None,
        // The client sends the body only when the server asks for it.
        waits_for_continue: request.headers().contains_key(EXPECT),
        on_received: on_received.clone(),
    };
    // In HTTP/2 each request has its own stream, which can be closed alone.
    let is_tracked = request.extensions().get::<IsTracked>().is_some();
    if is_tracked || request.body().is_end_stream() || request.version() > Version::HTTP_11 {
        (rest.on_received)();
        return (request, rest);
    }
    request.extensions_mut().insert(IsTracked);
    let (sender, unread) = oneshot::channel();
    rest.unread = Some(unread);
    let request = request.map(|body| {
        Body::new(RequestBody {
            body: Some(body),
            was_polled: false,
            rest: Some(sender),
            on_received,
        })
    });
    (request, rest)
}

impl<F: Fn()> Rest<F> {
    /// Reads what the handler has left unread, or makes `response` close the connection.
    pub async fn drain(mut self, response: &mut Response) {
        (self.on_received)();
        if !self.is_drained().await {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }

    async fn is_drained(&mut self) -> bool {
        let Some(unread) = &mut self.unread else {
            return true;
        };
        let Unread { body, was_polled } = match unread.try_recv() {
            Ok(unread) => unread,
            // The handler has read everything.
            Err(TryRecvError::Closed) => return true,
            // A task still reads the body, and may never reach its end.
            Err(TryRecvError::Empty) => return false,
        };
        // Reading would tell the client to send the body, which is not needed (RFC 9110 §10.1.1).
        if self.waits_for_continue && !was_polled {
            return false;
        }
        body.size_hint().lower() <= MAX_DRAINED
            && timeout(DRAIN_TIMEOUT, read_to_end(body)).await.unwrap_or(false)
    }
}

/// Whether a body ends within the limit.
async fn read_to_end(mut body: Body) -> bool {
    let mut left = MAX_DRAINED;
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
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

impl<F: Fn() + Unpin> HttpBody for RequestBody<F> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        this.was_polled = true;
        let Some(body) = &mut this.body else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(&mut *body).poll_frame(cx));
        if body.is_end_stream() || !matches!(frame, Some(Ok(_))) {
            this.body = None;
            (this.on_received)();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl<F> Drop for RequestBody<F> {
    fn drop(&mut self) {
        let unread = self.body.take().filter(|body| !body.is_end_stream());
        if let (Some(body), Some(rest)) = (unread, self.rest.take()) {
            // There is no receiver if the client is gone.
            let _ = rest.send(Unread { body, was_polled: self.was_polled });
        }
    }
}
