//! The stream for messages that a server sends without being asked.
//!
//! The client opens it right after `notifications/initialized`. A server that receives the first
//! request before that could not send its own messages meanwhile, and might take the late stream
//! for a reconnect. So the first request waits for the stream, but only briefly, because some
//! servers do not answer before they have something to send.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

/// How long the first request waits for the stream.
const STREAM_TIMEOUT: Duration = Duration::from_secs(1);

/// Whether the stream is still to be answered; clones share what is known.
#[derive(Clone, Debug)]
pub(super) struct StandingStream {
    is_awaited: Arc<watch::Sender<bool>>,
    timeout: Duration,
}

/// Held while the stream is requested. Dropping it ends the wait, however the request ended.
#[derive(Debug)]
pub(super) struct Asking(StandingStream);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.is_awaited.send_replace(false);
    }
}

impl Default for StandingStream {
    fn default() -> Self {
        Self { is_awaited: Arc::new(watch::Sender::new(false)), timeout: STREAM_TIMEOUT }
    }
}

impl StandingStream {
    /// A session has started, so the stream will be requested now.
    pub(super) fn begin(&self) {
        self.is_awaited.send_replace(true);
    }

    /// It is asked for until what this returns is dropped.
    pub(super) fn ask(&self) -> Asking {
        Asking(self.clone())
    }

    /// Waits until it has been answered, if it is still to be.
    pub(super) async fn answered(&self) {
        let mut is_awaited = self.is_awaited.subscribe();
        let answered = is_awaited.wait_for(|is_awaited| !is_awaited);
        if tokio::time::timeout(self.timeout, answered).await.is_err() {
            // One request has waited; those after it need not.
            self.is_awaited.send_replace(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn the_first_request_of_a_session_waits_for_the_stream_and_no_other_does() {
        let stream = StandingStream::default();
        assert!(stream.answered().now_or_never().is_some(), "there is no session");
        stream.begin();
        let asking = stream.ask();
        assert!(stream.answered().now_or_never().is_none());
        drop(asking);
        assert!(stream.answered().now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_server_that_does_not_answer_is_waited_for_once_and_not_for_ever() {
        let stream = StandingStream { timeout: Duration::from_millis(1), ..Default::default() };
        stream.begin();
        let _asking = stream.ask();
        stream.answered().await;
        assert!(stream.answered().now_or_never().is_some());
        assert!(STREAM_TIMEOUT <= Duration::from_secs(1), "people wait for this");
    }
}
