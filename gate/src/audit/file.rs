//! The file of the audit. Lines are only ever added.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    mem,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use super::record::{Event, NO_LINE, Record, hash};

/// Longest line that is looked for at the end of a file, in bytes.
const MAX_LINE: u64 = 8 << 20;

/// Where lines go: a file, or a test's stand-in that fails.
pub(super) trait Storage: Write + Send + 'static {
    /// Has the system write everything to the disk.
    fn sync(&mut self) -> io::Result<()>;
}

impl Storage for File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// The file, and how it ends.
#[derive(Debug)]
pub(super) struct AuditFile<S> {
    storage: S,
    /// Hash of the last whole line.
    head: String,
    /// What follows it: a line whose writing was cut short.
    unfinished: Vec<u8>,
}

impl AuditFile<File> {
    /// Opens the file for appending, and creates it for its owner only. No two processes can write to one.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let mut file = options.read(true).append(true).create(true).mode(0o600).open(path)?;
        file.try_lock().map_err(|_| io::Error::other("another process writes to it"))?;
        let length = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(length.saturating_sub(MAX_LINE)))?;
        let mut end = Vec::new();
        file.read_to_end(&mut end)?;
        Ok(Self::new(file, &end))
    }
}

impl<S: Storage> AuditFile<S> {
    /// Goes on after the lines `end`.
    pub(super) fn new(storage: S, end: &[u8]) -> Self {
        let mut file = Self { storage, head: NO_LINE.into(), unfinished: Vec::new() };
        file.note(end);
        file
    }

    /// The hash of the last line, which tells whether the end of the file was cut off later.
    pub(super) fn head(&self) -> &str {
        &self.head
    }

    /// Adds a record. What an earlier crash or a full disk has left of another is said before it.
    pub(super) fn append(&mut self, record: &Record) -> io::Result<()> {
        if !self.unfinished.is_empty() {
            let count = u64::try_from(self.unfinished.len()).ok();
            self.put(b"\n")?;
            let torn = Record { time: record.time, event: Event::Torn, count, ..Record::default() };
            self.put_line(&torn)?;
        }
        self.put_line(record)
    }

    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.storage.sync()
    }

    fn put_line(&mut self, record: &Record) -> io::Result<()> {
        let mut line =
            serde_json::to_vec(&Record { previous: self.head.clone(), ..record.clone() })?;
        line.push(b'\n');
        self.put(&line)
    }

    fn put(&mut self, text: &[u8]) -> io::Result<()> {
        let mut rest = text;
        while !rest.is_empty() {
            match self.storage.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    let (written, left) = rest.split_at(count.min(rest.len()));
                    self.note(written);
                    rest = left;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Notes what the file holds now.
    fn note(&mut self, written: &[u8]) {
        for piece in written.split_inclusive(|byte| *byte == b'\n') {
            self.unfinished.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                let line = mem::take(&mut self.unfinished);
                self.head = hash(line.strip_suffix(b"\n").unwrap_or(&line));
            }
        }
    }
}
