//! The story of each request: what was found and decided, in the order it happened.
//!
//! Every event that is logged inside a request is written to a file, one JSON object a line, with
//! the request's id. The file is bounded and lies on the replica itself: anonymous visitors cost
//! the database nothing. `auth explain` reads it. Events hold no secret.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tokio::sync::watch;
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer,
    filter::{FilterExt, Targets, dynamic_filter_fn},
    fmt::{self, MakeWriter},
    layer::{Context, Filter},
    registry::LookupSpan,
};

use crate::oauth::secret;

/// Longest `client_id` that a story repeats, in bytes.
const MAX_ID_LENGTH: usize = 80;
/// Longest path that a story repeats, in characters.
const MAX_PATH: usize = 200;
/// Name of the span of a request whose story is not kept.
pub const UNTOLD: &str = "request_without_story";
/// From a failure to the next try.
const RETRY_INTERVAL: Duration = Duration::from_secs(10);
/// Bytes that must fit before stories are written again.
const ROOM: usize = 65_536;

/// Writes the events of this crate that happen in a request as JSON lines, as
/// `AUTH_LOG_FORMAT=json` does.
pub fn layer<S, W>(writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    fmt::layer()
        .json()
        // A failure is told by `report_failures`. The layer itself would print one line for each
        // event, and panic where stderr cannot be written either.
        .log_internal_errors(false)
        .with_span_list(false)
        .with_writer(writer)
        .with_filter(Targets::new().with_target("auth", LevelFilter::DEBUG).and(is_told()))
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
pub fn shown_path(path: &str) -> String {
    match path.char_indices().nth(MAX_PATH) {
        Some((end, _)) => format!("{}…", path.get(..end).unwrap_or_default()),
        None => path.to_owned(),
    }
}

/// The `client_id` as a story shows it. An open registration is long: its beginning and a hash
/// tell it from others.
pub fn shown_client_id(id: &str) -> String {
    match id.get(..MAX_ID_LENGTH) {
        Some(beginning) if id.len() > MAX_ID_LENGTH => {
            let hash = secret::hash(id);
            format!("{beginning}…#{}", hash.get(..8).unwrap_or_default())
        }
        _ => id.to_owned(),
    }
}

/// A file that never grows beyond its bound: when one half is full, it becomes the older half,
/// in place of the one before.
#[derive(Debug)]
pub struct StoryFile {
    path: PathBuf,
    file: File,
    size: u64,
    largest_half: u64,
    /// After a failure, until when nothing is tried.
    paused_until: Option<Instant>,
    /// Why the latest event could not be written, if it could not.
    failure: watch::Sender<Option<String>>,
}

impl StoryFile {
    /// Opens the file, of at most `largest` bytes in both halves. Its directory is created; only
    /// its owner can read it.
    pub fn open(path: &Path, largest: u64) -> io::Result<Self> {
        if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        }
        let file = append(path)?;
        let size = file.metadata()?.len();
        let path = path.to_owned();
        let failure = watch::Sender::default();
        let largest_half = largest / 2;
        Ok(Self { path, file, size, largest_half, paused_until: None, failure })
    }

    /// Whether events can be written; it changes with the first that cannot, and with the first that
    /// can again.
    pub fn failure(&self) -> watch::Receiver<Option<String>> {
        self.failure.subscribe()
    }

    /// Where the older half is.
    pub fn older(path: &Path) -> PathBuf {
        let mut name = path.as_os_str().to_owned();
        name.push(".1");
        name.into()
    }
}

impl StoryFile {
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        if self.paused_until.is_some() {
            // A short line may fit where a long one does not: only real room is news.
            self.append_whole(&[b'\n'; ROOM])?;
            self.file.set_len(self.size)?;
        }
        if self.size > 0 && self.size + line.len() as u64 > self.largest_half {
            match fs::rename(&self.path, Self::older(&self.path)) {
                // Renamed before, when the new half could not be created.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                outcome => outcome?,
            }
            self.file = append(&self.path)?;
            self.size = 0;
        }
        self.append_whole(line)?;
        self.size += line.len() as u64;
        Ok(())
    }

    /// A whole line in one call: another process that reads never sees half of it. Of a line that
    /// does not fit, nothing stays.
    fn append_whole(&mut self, line: &[u8]) -> io::Result<()> {
        self.file.write_all(line).or_else(|error| {
            self.file.set_len(self.size)?;
            Err(error)
        })
    }
}

impl Write for StoryFile {
    /// Never fails: an event that cannot be written is lost, and no request minds.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let is_paused = self.paused_until.is_some_and(|until| Instant::now() < until);
        if is_paused {
            return Ok(line.len());
        }
        let failure = self.append(line).err().map(|error| error.to_string());
        self.paused_until = failure.as_ref().map(|_| Instant::now() + RETRY_INTERVAL);
        self.failure.send_if_modified(|known| {
            let is_news = known.is_some() != failure.is_some();
            *known = failure;
            is_news
        });
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Logs once when stories can no longer be written, and once when they can again.
pub async fn report_failures(mut failure: watch::Receiver<Option<String>>) {
    while failure.changed().await.is_ok() {
        let cause = failure.borrow_and_update().clone();
        match cause {
            Some(cause) => tracing::warn!(cause, "stories for `auth explain` cannot be written"),
            None => tracing::info!("stories for `auth explain` can be written again"),
        }
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_never_grows_beyond_its_bound_and_keeps_the_newest() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/stories");
        let mut file = StoryFile::open(&path, 1000).unwrap();
        for number in 0..1000 {
            let line = format!("line {number}\n");
            file.write_all(line.as_bytes()).unwrap();
        }
        let halves =
            [&StoryFile::older(&path), &path].map(|half| fs::read_to_string(half).unwrap());
        assert!(halves.iter().all(|half| half.len() <= 500));
        let lines: Vec<&str> = halves.iter().flat_map(|half| half.lines()).collect();
        assert!(lines.len() > 50, "{}", lines.len());
        for (line, number) in lines.iter().rev().zip((0..1000).rev()) {
            assert_eq!(*line, format!("line {number}"));
        }
    }

    /// `/dev/full` refuses every write, as a full disk does.
    #[test]
    fn a_failure_is_told_once_and_so_is_its_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("stories");
        let mut file = StoryFile::open(&path, 100_000).unwrap();
        let failure = file.failure();
        file.write_all(b"one\n").unwrap();
        assert!(!failure.has_changed().unwrap());

        let full = File::options().write(true).open("/dev/full").unwrap();
        let good = std::mem::replace(&mut file.file, full);
        let mut failure = file.failure();
        file.write_all(b"lost\n").unwrap();
        assert!(failure.has_changed().unwrap() && failure.borrow_and_update().is_some());
        for is_retry in [false, true] {
            file.paused_until = file.paused_until.filter(|_| !is_retry).or(Some(Instant::now()));
            file.write_all(b"lost\n").unwrap();
            assert!(!failure.has_changed().unwrap(), "told twice");
        }

        file.file = good;
        file.paused_until = Some(Instant::now());
        file.write_all(b"two\n").unwrap();
        assert!(failure.has_changed().unwrap() && failure.borrow_and_update().is_none());
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn a_new_half_that_could_not_be_created_is_created_later() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("stories");
        let mut file = StoryFile::open(&path, 100).unwrap();
        file.write_all(&[b'x'; 40]).unwrap();
        fs::rename(&path, StoryFile::older(&path)).unwrap();
        file.write_all(&[b'y'; 40]).unwrap();
        assert_eq!(fs::read(&path).unwrap(), [b'y'; 40]);
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
