//! When an open stream ends.
//!
//! A stream on which a client listens ends with its token: the client refreshes, and listens on
//! with the next. An answer under way may finish, because whoever asked had a good token then.
//! After a revocation everything ends, and whoever waits for an answer is told.

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

use crate::{Guard, caller::Caller, under_way::Held};

/// How often an open stream is looked at: it outlives its token by no more than this.
const CHECK: Duration = Duration::from_secs(1);
/// Seconds past the expiry of its token in which an answer may still be under way.
const LONGEST_ANSWER: i64 = 300;

/// Says that the server is about to stop. As an extension of requests it ends the streams on which
/// clients listen, so that they do not hold the server up.
#[derive(Clone, Debug, Default)]
pub struct Stopping(pub CancellationToken);

/// What a stream is for.
#[derive(Debug)]
pub(crate) enum Purpose {
    /// The client listens, for as long as it may, by a request with this id.
    Listening(Option<Value>),
    /// The answer to a request with this id.
    Answering(Option<Value>),
}

/// What decides when an answer must end, and what is its caller's until then.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) caller: Caller,
    pub(crate) purpose: Purpose,
    pub(crate) stopping: Stopping,
    pub(crate) held: Arc<Held>,
}

/// Whether an answer is a stream of events.
pub(crate) fn is_stream(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

impl Guard {
    /// Ends the answer when it may no longer go on, if it is a stream.
    pub(crate) fn watch(&self, response: Response, watched: Watched) -> Response {
        if !is_stream(&response) {
            return response;
        }
        let was_cut = Arc::new(AtomicBool::new(false));
        let Watched { caller, purpose, stopping, held } = watched;
        let (listens, last_words) = match purpose {
            Purpose::Listening(_) => (true, None),
            Purpose::Answering(id) => (false, id.map(last_words)),
        };
        let (guard, cut) = (self.clone(), was_cut.clone());
        let over = Box::pin(async move {
            let _held = held;
            tokio::select! {
                () = stopping.0.cancelled(), if listens => {}
                () = guard.token_ends(&caller, listens) => cut.store(true, Ordering::Relaxed),
            }
        });
        let farewell = stream::iter(last_words)
            .filter(move |_| std::future::ready(was_cut.load(Ordering::Relaxed)))
            .map(Ok);
        response
            .map(|body| Body::from_stream(body.into_data_stream().take_until(over).chain(farewell)))
    }

    async fn token_ends(&self, caller: &Caller, listens: bool) {
        let issuer = self.0.issuers.iter().find(|issuer| issuer.identifier == caller.issuer);
        let Some(issuer) = issuer else {
            return;
        };
        let accepted = issuer.accepts_until(caller.expires_at);
        let until = if listens { accepted } else { accepted.saturating_add(LONGEST_ANSWER) };
        let mut ticks = interval(CHECK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while self.0.clock.now() < until && !issuer.deny_list.has_revoked(caller.revocable()) {
            ticks.tick().await;
        }
        tracing::info!(reason = "token_over", "ended a stream");
    }
}

/// The answer to a request whose token has ended meanwhile, so that nobody waits for it.
fn last_words(id: Value) -> axum::body::Bytes {
    let error = json!({"code": -32001, "message": "the token has expired or was revoked"});
    let message = json!({"jsonrpc": "2.0", "id": id, "error": error});
    format!("\nevent: message\ndata: {message}\n\n").into()
}
