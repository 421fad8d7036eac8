//! `auth explain`: the whole story of one request, from the file that the server writes or from
//! collected logs.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
    path::PathBuf,
};

use clap::Args;
use serde::Deserialize;
use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{CommandError, Format};
use crate::{config::StorySetting, story::StoryFile};

/// Longest line that is read, in bytes.
const MAX_LINE_BYTES: u64 = 64 * 1024;

/// Which request, and where its story is.
#[derive(Debug, Args)]
pub struct Explain {
    /// The request id: on the error page, in the header x-request-id, and in the log.
    request_id: String,
    /// Read JSON log lines from stdin instead of the file, for logs that were collected elsewhere
    /// (written with AUTH_LOG_FORMAT=json, and AUTH_LOG=info,auth=debug for the whole story).
    #[arg(long)]
    stdin: bool,
    /// Where the server keeps its stories.
    #[command(flatten)]
    story: StorySetting,
    /// How to answer.
    #[command(flatten)]
    format: Format,
}

/// One line of a story.
#[derive(Debug, Deserialize)]
struct Event {
    timestamp: String,
    level: String,
    fields: Map<String, Value>,
    #[serde(default)]
    span: Map<String, Value>,
    #[serde(skip)]
    line: String,
}

impl Explain {
    pub(super) fn run(self, stdout: &mut impl Write) -> Result<(), CommandError> {
        let mut events = Vec::new();
        if self.stdin {
            self.collect(io::stdin().lock(), &mut events)?
        } else {
            for half in [StoryFile::older(&self.story.story_file), self.story.story_file.clone()] {
                if let Some(file) = open(half)? {
                    self.collect(BufReader::new(file), &mut events)?;
                }
            }
        }
        if events.is_empty() {
            return Err(self.unknown());
        }
        // Logs of several replicas may be mixed.
        events.sort_by(|one, other| one.timestamp.cmp(&other.timestamp));
        if self.format.json {
            for event in &events {
                writeln!(stdout, "{}", event.line)?;
            }
            return Ok(());
        }
        Ok(tell(stdout, &events)?)
    }

    fn collect(&self, mut lines: impl BufRead, events: &mut Vec<Event>) -> io::Result<()> {
        let mut line = Vec::new();
        loop {
            line.clear();
            if lines.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            let text = String::from_utf8_lossy(&line);
            // A collector may have put something in front.
            let Some(json) = text.find('{').and_then(|at| text.get(at..)) else { continue };
            let Ok(event) = serde_json::from_str::<Event>(json.trim_end()) else { continue };
            if event.request_id() == Some(&self.request_id) {
                events.push(Event { line: json.trim_end().to_owned(), ..event });
            }
        }
    }

    fn unknown(&self) -> CommandError {
        let id = &self.request_id;
        CommandError::Refused(if self.stdin {
            format!(
                "no line on stdin is about the request {id}; are they JSON lines, written with \
                 AUTH_LOG_FORMAT=json?"
            )
        } else {
            format!(
                "there is no story of the request {id} in {}; it may be too old, or on another \
                 replica",
                self.story.story_file.display()
            )
        })
    }
}

impl Event {
    fn request_id(&self) -> Option<&str> {
        self.span.get("request_id").or(self.fields.get("request_id")).and_then(Value::as_str)
    }

    fn member(&self, name: &str) -> &str {
        self.fields.get(name).or(self.span.get(name)).and_then(Value::as_str).unwrap_or_default()
    }

    fn time(&self) -> Option<OffsetDateTime> {
        OffsetDateTime::parse(&self.timestamp, &Rfc3339).ok()
    }
}

fn open(path: PathBuf) -> Result<Option<File>, CommandError> {
    match File::open(&path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(CommandError::Refused(format!("{} cannot be read: {error}", path.display())))
        }
    }
}

/// Writes a story for a person: what happened, how long after the beginning, and its facts.
fn tell(stdout: &mut impl Write, events: &[Event]) -> io::Result<()> {
    let Some(first) = events.first() else {
        return Ok(());
    };
    let (method, path) = (first.member("method"), first.member("path"));
    let heading = format!("{method} {path}");
    writeln!(stdout, "{} at {}", heading.trim(), first.timestamp)?;
    let begin = first.time();
    for event in events {
        let passed = event
            .time()
            .zip(begin)
            .map_or(0.0, |(time, begin)| (time - begin).as_seconds_f64() * 1000.0);
        let message = event.member("message");
        let mark = if matches!(&*event.level, "ERROR" | "WARN") { "!" } else { " " };
        write!(stdout, "{mark}{passed:>9.1} ms  {message}")?;
        for (name, value) in &event.fields {
            match (name.as_str(), value) {
                ("message" | "request_id" | "path", _) => {}
                (_, Value::String(text)) if text.contains(' ') || text.is_empty() => {
                    write!(stdout, "  {name}={text:?}")?;
                }
                (_, Value::String(text)) => write!(stdout, "  {name}={}", text.escape_debug())?,
                (_, value) => write!(stdout, "  {name}={value}")?,
            }
        }
        writeln!(stdout)?;
    }
    Ok(())
}
