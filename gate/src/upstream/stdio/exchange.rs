//! From a request on its way to its HTTP response: one JSON message, or a stream of events.

use std::{convert::Infallible, time::Duration};

use axum::{
    body::Body,
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::stream;
use serde_json::Value;
use tokio::time::{Instant, timeout};

use super::{
    link::Pending,
    message::{Message, Raw, canonical},
    queue::{Event, Receiver},
    wire::{Wire, to_modern},
};
use crate::failure::Failure;

/// How long a response waits for its first message before it becomes a stream, so that clients and
/// proxies see a sign of life.
const STREAM_TIMEOUT: Duration = Duration::from_secs(1);
/// The pause in a stream after which a comment shows that it is alive.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// How a request is to be answered.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) id: Option<Raw>,
    pub(super) wire: Wire,
    /// The method, if the response of an older server is to become one of 2026-07-28.
    pub(super) translated: Option<String>,
    /// How long the child may take until it says anything.
    pub(super) answer_timeout: Duration,
}

impl Exchange {
    /// The response to a request that the child has been sent.
    pub(super) async fn respond(self, mut pending: Pending) -> Response {
        let deadline = Instant::now() + self.answer_timeout;
        let first = timeout(STREAM_TIMEOUT.min(self.answer_timeout), pending.next()).await;
        match first {
            Ok(Some(Event::Last(line))) => self.finish(&line),
            Ok(Some(Event::Cancelled)) => StatusCode::ACCEPTED.into_response(),
            Ok(None) => refuse(Failure::Unreachable, self.id.as_ref()),
            Err(_) if Instant::now() >= deadline => refuse(Failure::TooSlow, self.id.as_ref()),
            Ok(Some(event)) => self.stream(pending, Some(event), None),
            Err(_) => self.stream(pending, None, Some(deadline)),
        }
    }

    /// A response that is one message.
    fn finish(&self, line: &Bytes) -> Response {
        let line = self.translate(line);
        let status = Message::parse(&line).map_or(StatusCode::OK, |it| self.wire.status(&it));
        json_response(status, line)
    }

    fn translate(&self, line: &Bytes) -> Bytes {
        match (&self.translated, Message::parse(line)) {
            (Some(method), Some(mut response)) => {
                to_modern(&mut response, method);
                response.to_line()
            }
            _ => line.clone(),
        }
    }

    /// A stream that starts with `first` and ends with the answer. Until `deadline`, if any, the child
    /// must have said something.
    fn stream(self, pending: Pending, first: Option<Event>, deadline: Option<Instant>) -> Response {
        let state = Some((self, pending, first, deadline));
        events(stream::unfold(state, async |state| {
            let (exchange, mut pending, first, deadline) = state?;
            let event = match first {
                Some(event) => Ok(Some(event)),
                None => timeout(KEEP_ALIVE_INTERVAL, pending.next()).await,
            };
            Some(match event {
                Ok(Some(Event::More(line))) => {
                    (event_of(&line), Some((exchange, pending, None, None)))
                }
                Ok(Some(Event::Last(line))) => (event_of(&exchange.translate(&line)), None),
                Ok(Some(Event::Cancelled)) => return None,
                Ok(None) => (exchange.failure(Failure::Unreachable), None),
                Err(_) if deadline.is_some_and(|deadline| Instant::now() >= deadline) => {
                    (exchange.failure(Failure::TooSlow), None)
                }
                Err(_) => (ALIVE, Some((exchange, pending, None, deadline))),
            })
        }))
    }

    fn failure(&self, failure: Failure) -> Bytes {
        let id = self.id.as_ref().map(|id| canonical(id));
        event_of(failure.message(id.as_ref()).to_string().as_bytes())
    }
}

/// A comment (HTML, server-sent events).
const ALIVE: Bytes = Bytes::from_static(b":\n\n");

/// A stream of what a listener gets, for as long as it comes.
pub(super) fn listen(receiver: Receiver) -> Response {
    let start = stream::iter([ALIVE]);
    let rest = stream::unfold(receiver, async |mut receiver| {
        let text = match timeout(KEEP_ALIVE_INTERVAL, receiver.next()).await {
            Ok(Some(Event::More(line) | Event::Last(line))) => event_of(&line),
            Ok(Some(Event::Cancelled) | None) => return None,
            Err(_) => ALIVE,
        };
        Some((text, receiver))
    });
    events(futures::StreamExt::chain(start, rest))
}

/// A response with one message.
pub(super) fn json_response(status: StatusCode, line: Bytes) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], line).into_response()
}

fn events(texts: impl stream::Stream<Item = Bytes> + Send + 'static) -> Response {
    let body = Body::from_stream(futures::StreamExt::map(texts, Ok::<_, Infallible>));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
        // nginx would keep events back.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, body).into_response()
}

fn event_of(line: &[u8]) -> Bytes {
    [b"event: message\ndata: ", line, b"\n\n"].concat().into()
}

/// The error for a request that cannot be passed.
pub(super) fn refuse(failure: Failure, id: Option<&Raw>) -> Response {
    let id: Option<Value> = id.map(|id| canonical(id));
    failure.answer(&serde_json::json!({"id": id}).to_string().into())
}
