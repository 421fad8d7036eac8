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
    sync::Mutex,
};

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
const LONGEST_ID: usize = 80;
/// Longest path that a story repeats, in characters.
const MAX_PATH: usize = 200;
/// Name of the span of a request whose story is not kept.
pub const UNTOLD: &str = "request_without_story";

/// Writes the events of this crate that happen in a request as JSON lines, as
/// `AUTH_LOG_FORMAT=json` does.
pub fn layer<S, W>(writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    fmt::layer()
        .json()
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

/// The path as a story and a log line show it: nobody writes a long one but to fill the file.
pub fn shown_path(path: &str) -> String {
    match path.char_indices().nth(MAX_PATH) {
        Some((end, _)) => format!("{}…", path.get(..end).unwrap_or_default()),
        None => path.to_owned(),
    }
}

/// The `client_id` as a story shows it. An open registration is long: its beginning and a hash
/// tell it from others.
pub fn shown_client_id(id: &str) -> String {
    match id.get(..LONGEST_ID) {
        Some(beginning) if id.len() > LONGEST_ID => {
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
}

impl StoryFile {
    /// Opens the file, of at most `largest` bytes in both halves. Its directory is created; only
    /// its owner can read it.
    pub fn open(path: &Path, largest: u64) -> io::Result<Mutex<Self>> {
        if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        }
        let file = append(path)?;
        let size = file.metadata()?.len();
        let path = path.to_owned();
        Ok(Mutex::new(Self { path, file, size, largest_half: largest / 2 }))
    }

    /// Where the older half is.
    pub fn older(path: &Path) -> PathBuf {
        let mut name = path.as_os_str().to_owned();
        name.push(".1");
        name.into()
    }
}

impl Write for StoryFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.size > 0 && self.size + line.len() as u64 > self.largest_half {
            fs::rename(&self.path, Self::older(&self.path))?;
            self.file = append(&self.path)?;
            self.size = 0;
        }
        // A whole line in one call: another process that reads never sees half of it.
        self.file.write_all(line)?;
        self.size += line.len() as u64;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
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
        let file = StoryFile::open(&path, 1000).unwrap();
        for number in 0..1000 {
            let line = format!("line {number}\n");
            file.lock().unwrap().write_all(line.as_bytes()).unwrap();
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
