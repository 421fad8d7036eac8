//! When the server last sent something, so that no request waits forever.

use std::{convert::Infallible, sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};

/// How often a server may put its answer off by saying something else, in units of the silence that
/// is allowed.
const MAX_EXTENSIONS: u32 = 12;

/// What is known about one connection; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Activity(Arc<watch::Sender<State>>);

#[derive(Clone, Copy, Debug)]
struct State {
    heard: Instant,
    /// Questions of the server that the user has not answered yet.
    open_questions: usize,
}

/// Held while the user answers a question of the server: meanwhile it is not the server that is
/// waited for.
#[derive(Debug)]
pub(crate) struct OpenQuestion(Activity);

impl Default for Activity {
    fn default() -> Self {
        let state = State { heard: Instant::now(), open_questions: 0 };
        Self(Arc::new(watch::Sender::new(state)))
    }
}

impl Drop for OpenQuestion {
    fn drop(&mut self) {
        self.0.0.send_modify(|state| {
            state.open_questions -= 1;
            state.heard = Instant::now();
        });
    }
}

impl Activity {
    pub(crate) fn heard(&self) {
        self.0.send_modify(|state| state.heard = Instant::now());
    }

    /// The server has asked the user something.
    pub(crate) fn question(&self) -> OpenQuestion {
        self.0.send_modify(|state| state.open_questions += 1);
        OpenQuestion(self.clone())
    }

    /// Tells `told`, at each `interval` after the first, how long the server has said nothing at all
    /// since this was called. It is silent while the user answers a question, and once the server has said something,
    /// because that is shown instead.
    pub(crate) async fn tell_waiting(
        &self,
        interval: Duration,
        told: impl Fn(Duration),
    ) -> Infallible {
        let began = Instant::now();
        let mut ticks = tokio::time::interval_at(began + interval * 2, interval);
        loop {
            let now = ticks.tick().await;
            let State { heard, open_questions } = *self.0.borrow();
            if open_questions == 0 && heard <= began {
                told(now - began);
            }
        }
    }

    /// Returns when the server, from now on, has said nothing for `limit`, or has put its answer
    /// off too often, with the time that has passed. Only messages count: a server that merely
    /// keeps a stream alive is silent.
    pub(crate) async fn silence(&self, limit: Duration) -> Duration {
        self.heard();
        let began = Instant::now();
        let mut changes = self.0.subscribe();
        let mut latest = Instant::now() + limit * MAX_EXTENSIONS;
        loop {
            let State { heard, open_questions } = *changes.borrow_and_update();
            let deadline = latest.min(heard + limit);
            if open_questions > 0 {
                let asked = Instant::now();
                // The sender lives as long as `self`.
                let _ = changes.changed().await;
                latest += asked.elapsed();
            } else if tokio::time::timeout_at(deadline, changes.changed()).await.is_err() {
                return began.elapsed();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(40);

    #[tokio::test]
    async fn silence_ends_the_wait_and_words_put_it_off_but_not_for_ever() {
        let activity = Activity::default();
        let began = Instant::now();
        activity.silence(LIMIT).await;
        assert!(began.elapsed() >= LIMIT);

        let mut words = tokio::time::interval(LIMIT / 8);
        let began = Instant::now();
        tokio::select! {
            _ = activity.silence(LIMIT) => {}
            () = async { loop { words.tick().await; activity.heard(); } } => {}
        }
        assert!(began.elapsed() >= LIMIT * MAX_EXTENSIONS);
    }

    #[tokio::test]
    async fn the_person_is_told_of_the_wait_until_the_server_says_something() {
        let activity = Activity::default();
        let told = tokio::sync::watch::Sender::new(0);
        let tell = activity.tell_waiting(LIMIT / 8, |_| told.send_modify(|count| *count += 1));
        let words = async {
            let mut changes = told.subscribe();
            changes.wait_for(|count| *count >= 3).await.expect("told");
            activity.heard();
            let before = *told.borrow();
            activity.silence(LIMIT).await;
            assert_eq!(*told.borrow(), before);
        };
        tokio::select! {
            never = tell => match never {},
            () = words => {}
        }
    }

    #[tokio::test]
    async fn the_time_that_the_person_takes_does_not_count() {
        let activity = Activity::default();
        let question = activity.question();
        let waited = tokio::time::timeout(LIMIT * 2, activity.silence(LIMIT)).await;
        assert!(waited.is_err(), "it is the person's turn");
        drop(question);
        activity.silence(LIMIT).await;
    }
}
