//! The messages that wait for one HTTP response, bounded so that a slow reader holds no memory.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use tokio::sync::mpsc;

/// Maximum messages that wait for one reader.
const MAX_MESSAGES: usize = 256;
/// Bytes in messages that wait for one reader, from which on no more are taken.
const MAX_BYTES: usize = 8 << 20;

/// What a response gets to write.
#[derive(Debug)]
pub(super) enum Event {
    /// A message, after which more come.
    More(Bytes),
    /// The message that answers the request.
    Last(Bytes),
    /// The client has cancelled the request, which gets no answer.
    Cancelled,
}

#[derive(Clone, Debug)]
pub(super) struct Sender {
    events: mpsc::Sender<Event>,
    waiting: Arc<AtomicUsize>,
}

#[derive(Debug)]
pub(super) struct Receiver {
    events: mpsc::Receiver<Event>,
    waiting: Arc<AtomicUsize>,
}

pub(super) fn queue() -> (Sender, Receiver) {
    let (sender, receiver) = mpsc::channel(MAX_MESSAGES);
    let waiting = Arc::new(AtomicUsize::new(0));
    (Sender { events: sender, waiting: waiting.clone() }, Receiver { events: receiver, waiting })
}

impl Event {
    fn len(&self) -> usize {
        match self {
            Self::More(message) | Self::Last(message) => message.len(),
            Self::Cancelled => 0,
        }
    }
}

impl Sender {
    /// Returns `false` if the reader has left, or is too slow.
    pub(super) fn send(&self, event: Event) -> bool {
        let length = event.len();
        // Counted before the reader can take it off again.
        let waiting = self.waiting.fetch_add(length, Ordering::Relaxed);
        let is_taken = waiting <= MAX_BYTES && self.events.try_send(event).is_ok();
        if !is_taken {
            self.waiting.fetch_sub(length, Ordering::Relaxed);
        }
        is_taken
    }

    pub(super) fn is_closed(&self) -> bool {
        self.events.is_closed()
    }
}

impl Receiver {
    /// The next event. `None` if no more can come.
    pub(super) async fn next(&mut self) -> Option<Event> {
        let event = self.events.recv().await?;
        self.waiting.fetch_sub(event.len(), Ordering::Relaxed);
        Some(event)
    }
}
