//! Verifies and searches the file of the audit.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use thiserror::Error;

use super::{
    Outcome,
    record::{Event, NO_LINE, Record, hash},
};

/// The audit cannot be written or read.
#[derive(Debug, Error)]
pub enum AuditError {
    /// The file cannot be opened or read.
    #[error("the file of the audit, {}, cannot be used: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A line is not the one that was written.
    #[error("line {line}: {what}")]
    Broken {
        /// Its number, from 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// The hash that was noted earlier is not there.
    #[error("no line has the hash {0}; the file was cut off or rewritten after it was noted")]
    NoHead(String),
}

/// What a whole chain holds.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Verified {
    /// Records of calls.
    pub(crate) calls: u64,
    /// Records that could not be written.
    pub(crate) dropped: u64,
    /// The numbers of lines whose writing was cut short.
    pub(crate) torn: Vec<usize>,
    /// The hash of the last line.
    pub(crate) head: String,
}

/// Which records to show.
#[derive(Clone, Debug, Default, Args)]
#[group(skip)]
pub struct Query {
    /// Of this user (`sub`).
    #[arg(long)]
    pub user: Option<String>,
    /// Through this client.
    #[arg(long)]
    pub client: Option<String>,
    /// Of this tool, prompt or resource.
    #[arg(long)]
    pub name: Option<String>,
    /// That ended in this way.
    #[arg(long)]
    pub outcome: Option<Outcome>,
    /// At this time or later, in seconds since 1970.
    #[arg(long, value_name = "SECONDS")]
    pub since: Option<i64>,
    /// Before this time, in seconds since 1970.
    #[arg(long, value_name = "SECONDS")]
    pub until: Option<i64>,
}

/// Checks that each line names the hash of the line before it, and that a line has the hash `head`, which
/// was noted earlier.
pub(crate) fn verify(path: &Path, head: Option<&str>) -> Result<Verified, AuditError> {
    let mut verified = Verified { head: NO_LINE.into(), ..Verified::default() };
    let mut has_head = head.is_none_or(|head| head == NO_LINE);
    let mut was_torn = false;
    let mut length_before = 0;
    read_lines(path, |number, line, is_whole| {
        let broken = |what| Err(AuditError::Broken { line: number, what });
        let record = serde_json::from_slice::<Record>(line).ok().filter(|_| is_whole);
        if let Some(record) = &record {
            if record.previous != verified.head {
                return broken(
                    "it does not follow the line before; one of them was changed or removed",
                );
            }
            // A line that lacked nothing but its end has become whole since.
            let explains = record.event == Event::Torn && record.count == Some(length_before);
            if explains != (record.event == Event::Torn) || was_torn && !explains {
                return broken("the line before is not a record, and this one does not say so");
            }
            match record.event {
                Event::Call => verified.calls += 1,
                Event::Dropped => verified.dropped += record.count.unwrap_or_default(),
                Event::Torn => {}
            }
        } else {
            verified.torn.push(number);
        }
        was_torn = record.is_none();
        length_before = u64::try_from(line.len()).unwrap_or(u64::MAX);
        if is_whole {
            verified.head = hash(line);
        }
        has_head |= head == Some(verified.head.as_str());
        Ok(())
    })?;
    match head.filter(|_| !has_head) {
        Some(head) => Err(AuditError::NoHead(head.into())),
        None => Ok(verified),
    }
}

/// Writes the lines that the query is about to `out`.
pub(crate) fn query(path: &Path, query: &Query, out: &mut impl Write) -> Result<(), AuditError> {
    read_lines(path, |_, line, _| match serde_json::from_slice::<Record>(line) {
        Ok(record) if query.fits(&record) => {
            let written = out.write_all(line).and_then(|()| out.write_all(b"\n"));
            written.map_err(|cause| AuditError::File { path: path.into(), cause })
        }
        _ => Ok(()),
    })
}

impl Query {
    fn fits(&self, record: &Record) -> bool {
        let is_asked =
            |asked: &Option<String>, text: &str| asked.as_deref().is_none_or(|it| it == text);
        record.event == Event::Call
            && is_asked(&self.user, &record.user)
            && is_asked(&self.client, &record.client)
            && (is_asked(&self.name, &record.name)
                || record.name.split(' ').any(|name| Some(name) == self.name.as_deref()))
            && self.outcome.is_none_or(|outcome| record.outcome == Some(outcome))
            && self.since.is_none_or(|since| record.time >= since)
            && self.until.is_none_or(|until| record.time < until)
    }
}

/// Hands over each line with its number, and whether it has an end.
fn read_lines(
    path: &Path,
    mut read: impl FnMut(usize, &[u8], bool) -> Result<(), AuditError>,
) -> Result<(), AuditError> {
    let failed = |cause| AuditError::File { path: path.into(), cause };
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        line.clear();
        if file.read_until(b'\n', &mut line).map_err(failed)? == 0 {
            return Ok(());
        }
        number += 1;
        let whole = line.strip_suffix(b"\n");
        read(number, whole.unwrap_or(&line), whole.is_some())?;
    }
}
