//! The file of stories, which never grows beyond its bound.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tokio::sync::watch;

/// From a failure to the next try.
const RETRY_INTERVAL: Duration = Duration::from_secs(10);
/// Bytes that must fit before stories are written again.
const ROOM: usize = 65_536;

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
    /// Writes whole lines. Lines that cannot be written are lost without an error, because no request
    /// depends on them.
    pub(super) fn write(&mut self, lines: &[u8]) {
        if lines.is_empty() || self.paused_until.is_some_and(|until| Instant::now() < until) {
            return;
        }
        let failure = self.append(lines).err().map(|error| error.to_string());
        self.paused_until = failure.as_ref().map(|_| Instant::now() + RETRY_INTERVAL);
        self.failure.send_if_modified(|known| {
            let is_news = known.is_some() != failure.is_some();
            *known = failure;
            is_news
        });
    }

    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.paused_until.is_some() {
            // A short line may fit where a long one does not: only real room is news.
            self.append_whole(&[b'\n'; ROOM])?;
            self.file.set_len(self.size)?;
        }
        if self.size > 0 && self.size + lines.len() as u64 > self.largest_half {
            match fs::rename(&self.path, Self::older(&self.path)) {
                // Renamed before, when the new half could not be created.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                outcome => outcome?,
            }
            self.file = append(&self.path)?;
            self.size = 0;
        }
        self.append_whole(lines)?;
        self.size += lines.len() as u64;
        Ok(())
    }

    /// Whole lines in one call: another process that reads never sees half of one. Of lines that do
    /// not fit, nothing stays.
    fn append_whole(&mut self, lines: &[u8]) -> io::Result<()> {
        self.file.write_all(lines).or_else(|error| {
            self.file.set_len(self.size)?;
            Err(error)
        })
    }
}

/// Logs once when stories can no longer be written, and once when they can again.
pub(crate) async fn report_failures(mut failure: watch::Receiver<Option<String>>) {
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
            file.write(line.as_bytes());
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
        file.write(b"one\n");
        assert!(!failure.has_changed().unwrap());

        let full = File::options().write(true).open("/dev/full").unwrap();
        let good = std::mem::replace(&mut file.file, full);
        let mut failure = file.failure();
        file.write(b"lost\n");
        assert!(failure.has_changed().unwrap() && failure.borrow_and_update().is_some());
        for is_retry in [false, true] {
            file.paused_until = file.paused_until.filter(|_| !is_retry).or(Some(Instant::now()));
            file.write(b"lost\n");
            assert!(!failure.has_changed().unwrap(), "told twice");
        }

        file.file = good;
        file.paused_until = Some(Instant::now());
        file.write(b"two\n");
        assert!(failure.has_changed().unwrap() && failure.borrow_and_update().is_none());
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn a_new_half_that_could_not_be_created_is_created_later() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("stories");
        let mut file = StoryFile::open(&path, 100).unwrap();
        file.write(&[b'x'; 40]);
        fs::rename(&path, StoryFile::older(&path)).unwrap();
        file.write(&[b'y'; 40]);
        assert_eq!(fs::read(&path).unwrap(), [b'y'; 40]);
    }
}
