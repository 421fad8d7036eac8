//! The queue of stories, and the thread that writes them.

use std::{
    io, mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tokio::sync::oneshot;

use super::{file::StoryFile, recorded::Story};

/// How long the thread collects stories for one write.
const BATCH_INTERVAL: Duration = Duration::from_millis(100);
/// Memory for queued stories, in bytes. Further ones are dropped, and the log says how many.
const MAX_PENDING_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of lines after which they are written, which bounds the buffer.
const CHUNK: usize = 65_536;

/// Stories that have ended and are not yet written.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pending: Mutex<Pending>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Pending {
    stories: Vec<Story>,
    bytes: usize,
    dropped: u64,
    /// Notified once the stories before them are written.
    waiting: Vec<oneshot::Sender<()>>,
}

impl Queue {
    /// Adds a story without waiting, or drops it if the queue is full.
    pub(super) fn push(&self, story: Story) {
        let mut pending = self.lock();
        let bytes = pending.bytes + story.size();
        if bytes > MAX_PENDING_BYTES {
            pending.dropped += 1;
            return;
        }
        pending.bytes = bytes;
        pending.stories.push(story);
        let is_first = pending.stories.len() == 1;
        drop(pending);
        if is_first {
            self.changed.notify_one();
        }
    }

    /// Makes the thread write at once. The receiver is notified when all stories pushed so far are
    /// written.
    pub(super) fn flush(&self) -> oneshot::Receiver<()> {
        let (written, receiver) = oneshot::channel();
        self.lock().waiting.push(written);
        self.changed.notify_one();
        receiver
    }

    /// Starts the thread, which runs as long as the process.
    pub(super) fn start(self: Arc<Self>, mut file: StoryFile) -> io::Result<()> {
        let thread = thread::Builder::new().name("stories".into());
        thread
            .spawn(move || {
                loop {
                    self.next_batch().write(&mut file)
                }
            })
            .map(|_| ())
    }

    /// Waits for the first story, and then for more, unless a flush is requested.
    fn next_batch(&self) -> Pending {
        let pending = self.changed.wait_while(self.lock(), |pending| {
            pending.stories.is_empty() && pending.waiting.is_empty()
        });
        let pending = pending.unwrap_or_else(PoisonError::into_inner);
        let outcome = self
            .changed
            .wait_timeout_while(pending, BATCH_INTERVAL, |pending| pending.waiting.is_empty());
        let (mut pending, _) = outcome.unwrap_or_else(PoisonError::into_inner);
        mem::take(&mut *pending)
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    fn write(self, file: &mut StoryFile) {
        let mut lines = Vec::new();
        for story in &self.stories {
            story.write(&mut lines);
            if lines.len() > CHUNK {
                file.write(&lines);
                lines.clear();
            }
        }
        file.write(&lines);
        if self.dropped > 0 {
            let dropped = self.dropped;
            tracing::warn!(dropped, "stories for `auth explain` were dropped: the queue was full");
        }
        for waiting in self.waiting {
            // The receiver may have timed out.
            let _ = waiting.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_drops_stories_and_counts_them() {
        let queue = Queue::default();
        let most = MAX_PENDING_BYTES / Story::default().size();
        for _ in 0..most + 7 {
            queue.push(Story::default());
        }
        let pending = queue.lock();
        assert!(pending.bytes <= MAX_PENDING_BYTES);
        assert_eq!((pending.stories.len(), pending.dropped), (most, 7));
    }
}
