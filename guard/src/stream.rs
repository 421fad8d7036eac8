//! Ends open streams when their token expires or is revoked.
//!
//! A stream on which a client listens ends with its token. The client refreshes the token and
//! listens again. A response in progress may finish, because the token was valid when the request
//! came. After a revocation every stream ends, and a client that waits for a response is told.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{body::Body, http::header, response::Response};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::{Guard, caller::Caller, in_progress::Held};

/// Time between two checks of an open stream, and so the longest that it outlives its token.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Seconds for which a response may go on after its token has expired.
const MAX_RESPONSE_OVERTIME: i64 = 300;

/// Tells the guard that the server is about to stop. As an extension of requests it ends the streams
/// on which clients listen, so that they do not delay the stop.
#[derive(Clone, Debug, Default)]
pub struct Stopping(pub CancellationToken);

/// What a stream is for.
#[derive(Debug)]
pub(crate) enum Purpose {
    /// The client listens for notifications, since a request with this id.
    Listening(Option<Value>),
    /// The response to a request with this id.
    Answering(Option<Value>),
}

/// What decides when a stream must end, and what it holds until then.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) caller: Caller,
    pub(crate) purpose: Purpose,
    pub(crate) stopping: Option<Stopping>,
    pub(crate) held: Arc<Held>,
}

/// Whether a response is a stream of server-sent events.
pub(crate) fn is_stream(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

impl Guard {
    /// Ends the response when its token ends, if it is a stream.
    pub(crate) fn watch(&self, response: Response, watched: Watched) -> Response {
        if !is_stream(&response) {
            return response;
        }
        let was_cut = Arc::new(AtomicBool::new(false));
        let Watched { caller, purpose, stopping, held } = watched;
        let (listens, last_event) = match purpose {
            Purpose::Listening(_) => (true, None),
            Purpose::Answering(id) => (false, id.map(token_ended)),
        };
        let stopping = stopping.unwrap_or_default();
        let guard = self.clone();
        let cut = was_cut.clone();
        let end = Box::pin(async move {
            let _held = held;
            tokio::select! {
                () = stopping.0.cancelled(), if listens => {}
                () = guard.wait_for_token_end(&caller, listens) => cut.store(true, Ordering::Relaxed),
            }
        });
        let last_event = stream::iter(last_event)
            .filter(move |_| std::future::ready(was_cut.load(Ordering::Relaxed)))
            .map(Ok);
        response.map(|body| {
            Body::from_stream(body.into_data_stream().take_until(end).chain(last_event))
        })
    }

    async fn wait_for_token_end(&self, caller: &Caller, listens: bool) {
        let Some(issuer) = self.0.issuers.find(&caller.issuer) else {
            return;
        };
        let accepted = issuer.accepts_until(caller.expires_at);
        let until = if listens { accepted } else { accepted.saturating_add(MAX_RESPONSE_OVERTIME) };
        let mut ticks = interval(CHECK_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while self.0.clock.now() < until && !issuer.deny_list.has_revoked(caller.revocable()) {
            ticks.tick().await;
        }
        tracing::info!(reason = "token_over", "ended a stream");
    }
}

/// The error for a request whose token has ended, so that its client stops waiting.
fn token_ended(id: Value) -> axum::body::Bytes {
    let error = json!({"code": -32001, "message": "the token has expired or was revoked"});
    let message = json!({"jsonrpc": "2.0", "id": id, "error": error});
    format!("\nevent: message\ndata: {message}\n\n").into()
}
