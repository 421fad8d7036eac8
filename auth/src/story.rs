//! The story of each request: what was found and decided, in the order it happened.
//!
//! The events that are logged inside a request are kept in memory. When the request ends, its story
//! goes to a thread that writes stories in batches, one JSON object a line, with the request's id. A
//! refusal is sent only when its story has been written, so that its id can be looked up at once.
//! The file is bounded and local to the replica: anonymous visitors cost the database nothing.
//! `auth explain` reads it. Events hold no secret.

mod file;
mod queue;
mod recorded;

use std::{
    borrow::Cow,
    io,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tracing::{Event, Subscriber, level_filters::LevelFilter, span};
use tracing_subscriber::{
    Layer,
    filter::{FilterExt, Targets, dynamic_filter_fn},
    layer::{Context, Filter},
    registry::LookupSpan,
};

pub use self::file::StoryFile;
pub(crate) use self::file::report_failures;
use self::{queue::Queue, recorded::Story};
use crate::oauth::secret;

/// Longest `client_id` that a story repeats, in bytes.
const MAX_ID_LENGTH: usize = 80;
/// Longest path that a story repeats, in characters.
const MAX_PATH: usize = 200;
/// Name of the span of a request whose story is not kept.
pub(crate) const UNTOLD: &str = "request_without_story";
/// Target of the event that ends a story.
pub(crate) const ANSWERED: &str = "auth::answered";
/// How long a refusal may wait for its story to be written.
const WRITE_TIMEOUT: Duration = Duration::from_millis(250);

/// Collects stories and writes them to a file, which clones share.
#[derive(Clone, Debug)]
pub struct Stories {
    queue: Arc<Queue>,
    sample: u32,
    /// Counts successful requests, to sample them.
    successes: Arc<AtomicU32>,
}

impl Stories {
    /// Starts the thread that writes stories into `file`. Refusals and errors are written whole, and
    /// so is one successful request in `sample` (none if it is 0). Of the others, only the last event
    /// is kept.
    pub fn start(file: StoryFile, sample: u32) -> io::Result<Self> {
        let queue = Arc::<Queue>::default();
        queue.clone().start(file)?;
        Ok(Self { queue, sample, successes: Arc::default() })
    }

    /// The layer that collects the events of this crate that happen in a request.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let events = Targets::new().with_target("auth", LevelFilter::DEBUG);
        Layer::<S>::with_filter(self.clone(), events.and(is_told()))
    }

    /// Waits until the stories that have ended are written, or until `timeout` has passed.
    pub async fn flush(&self, timeout: Duration) {
        let _ = tokio::time::timeout(timeout, self.queue.flush()).await;
    }

    fn keep(&self, mut story: Story) {
        if story.has_succeeded() && !self.is_sampled() {
            story.shorten();
        }
        self.queue.push(story);
    }

    fn is_sampled(&self) -> bool {
        let number = self.successes.fetch_add(1, Ordering::Relaxed);
        self.sample > 0 && number.is_multiple_of(self.sample)
    }
}

impl<S> Layer<S> for Stories
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(
        &self,
        attributes: &span::Attributes<'_>,
        id: &span::Id,
        context: Context<'_, S>,
    ) {
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Story::new(attributes));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(span) = context.event_span(event) else { return };
        let mut extensions = span.extensions_mut();
        let Some(story) = extensions.get_mut::<Story>() else { return };
        story.record(event);
        // The span may be closed later, because the thread of a database connection can hold it.
        if event.metadata().target() == ANSWERED
            && let Some(story) = extensions.remove::<Story>()
        {
            self.keep(story);
        }
    }

    /// A cancelled request has a story without an answer.
    fn on_close(&self, id: span::Id, context: Context<'_, S>) {
        let span = context.span(&id);
        let story = span.and_then(|span| span.extensions_mut().remove::<Story>());
        if let Some(story) = story {
            self.keep(story);
        }
    }
}

/// Waits until the stories that have ended are written, if stories are kept.
pub(crate) async fn flush() {
    let stories = tracing::dispatcher::get_default(|log| log.downcast_ref::<Stories>().cloned());
    if let Some(stories) = stories {
        stories.flush(WRITE_TIMEOUT).await;
    }
}

/// What happens in a request, unless its story is not kept.
fn is_told<S>() -> impl Filter<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    dynamic_filter_fn(|metadata, context: &Context<'_, S>| {
        if metadata.is_span() {
            metadata.name() != UNTOLD
        } else {
            context.lookup_current().is_some()
        }
    })
}

/// The path as a story and a log line show it: a long one is only written to fill the file.
pub(crate) fn shown_path(path: &str) -> Cow<'_, str> {
    match path.char_indices().nth(MAX_PATH) {
        Some((end, _)) => Cow::Owned(format!("{}…", path.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(path),
    }
}

/// The `client_id` as a story shows it. An open registration is long: its beginning and a hash
/// tell it from others.
pub(crate) fn shown_client_id(id: &str) -> String {
    match id.get(..MAX_ID_LENGTH) {
        Some(beginning) if id.len() > MAX_ID_LENGTH => {
            let hash = secret::hash(id);
            format!("{beginning}…#{}", hash.get(..8).unwrap_or_default())
        }
        _ => id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// Writes a story for each status, and returns the lines of the file.
    async fn lines(sample: u32, statuses: &[u16]) -> Vec<Value> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("stories");
        let stories = Stories::start(StoryFile::open(&path, 1 << 20).unwrap(), sample).unwrap();
        let log = tracing_subscriber::registry().with(stories.layer());
        let _guard = tracing::subscriber::set_default(log);
        let mut spans = Vec::new();
        for status in statuses {
            let span = tracing::debug_span!("request", request_id = status);
            span.in_scope(|| {
                tracing::debug!(client_id = "a \"b\"\n", "found");
                if *status == 303 {
                    tracing::info!(reason = "scope_unknown", "refused");
                }
                tracing::debug!(target: ANSWERED, status, "answered");
            });
            // A span may be closed after its story has ended.
            spans.push(span);
        }
        flush().await;
        let text = std::fs::read_to_string(&path).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    async fn lengths(sample: u32, statuses: &[u16]) -> Vec<usize> {
        let lines = lines(sample, statuses).await;
        let counts = statuses.iter().map(|status| {
            lines.iter().filter(|line| line["span"]["request_id"] == *status).count()
        });
        counts.collect()
    }

    #[tokio::test]
    async fn refusals_are_written_whole_and_successes_are_sampled() {
        let statuses = [200, 201, 202, 203, 400, 303, 500, 204];
        assert_eq!(lengths(1, &statuses).await, [2, 2, 2, 2, 2, 3, 2, 2]);
        assert_eq!(lengths(2, &statuses).await, [2, 1, 2, 1, 2, 3, 2, 2]);
        assert_eq!(lengths(0, &statuses).await, [1, 1, 1, 1, 2, 3, 2, 1]);
    }

    #[tokio::test]
    async fn a_cancelled_request_is_written_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("stories");
        let stories = Stories::start(StoryFile::open(&path, 1 << 20).unwrap(), 0).unwrap();
        let log = tracing_subscriber::registry().with(stories.layer());
        let _guard = tracing::subscriber::set_default(log);
        tracing::debug_span!("request").in_scope(|| {
            tracing::debug!("one");
            tracing::debug!("two");
        });
        tracing::debug_span!(UNTOLD).in_scope(|| tracing::debug!("in no story"));
        tracing::debug!("in no request");
        flush().await;
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2);
    }

    /// `auth explain` also reads the lines of collected logs.
    #[tokio::test]
    async fn a_line_has_the_form_that_the_log_has() {
        let lines = lines(1, &[200]).await;
        let line = lines.first().unwrap();
        assert_eq!(line["fields"].to_string(), r#"{"message":"found","client_id":"a \"b\"\n"}"#);
        assert_eq!(
            (&line["level"], &line["target"]),
            (&"DEBUG".into(), &"auth::story::tests".into())
        );
        let timestamp = line["timestamp"].as_str().unwrap();
        assert!(timestamp.len() == "2026-11-30T12:00:00.123456789Z".len(), "{timestamp}");
        assert_eq!(lines[1]["fields"]["status"], 200);
    }

    #[test]
    fn a_long_client_id_is_told_from_others_by_a_hash() {
        let (one, other) = ("a".repeat(100), format!("{}b", "a".repeat(99)));
        assert_ne!(shown_client_id(&one), shown_client_id(&other));
        assert!(shown_client_id(&one).len() < 100);
        assert_eq!(shown_client_id("app"), "app");
    }

    #[test]
    fn a_long_path_is_cut() {
        let long = format!("/{}", "é".repeat(60_000));
        assert_eq!(shown_path(&long).chars().count(), MAX_PATH + 1);
        assert_eq!(shown_path("/token"), "/token");
    }
}
