//! Writes data to stdout and messages to stderr, and makes both safe to print.

use std::{
    io::{self, ErrorKind, IsTerminal, Write},
    os::fd::AsFd,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use serde::Serialize;

use crate::terminal::{
    printable::{printable, printable_json, printable_line, shortened},
    text::{Text, wrapped},
};

/// Why data did not reach stdout.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    #[error("cannot write the result: {0}")]
    Failed(io::Error),
    /// The reader of stdout stopped reading, as `head` does.
    #[error("stdout was closed")]
    Closed,
}

/// Where a run of the client reads and writes, and which ends are terminals.
pub struct Streams {
    /// Receives data: what a tool answered, lists, status.
    pub stdout: Box<dyn Write + Send>,
    /// Receives talk: what is happening, questions, errors, hints.
    pub stderr: Box<dyn Write + Send>,
    /// A user types at stdin, so questions may be asked.
    pub stdin_is_terminal: bool,
    /// A user reads stderr, so a browser may be opened and words may be coloured.
    pub stderr_is_terminal: bool,
    /// How wide the terminal is that stdout goes to, if it goes to one.
    pub stdout_columns: fn() -> Option<usize>,
    /// The same of stderr.
    pub stderr_columns: fn() -> Option<usize>,
}

impl Streams {
    /// The process's own streams.
    pub fn standard() -> Self {
        Self {
            stdout: Box::new(io::stdout()),
            stderr: Box::new(io::stderr()),
            stdin_is_terminal: io::stdin().is_terminal(),
            stderr_is_terminal: io::stderr().is_terminal(),
            stdout_columns: || columns(io::stdout()),
            stderr_columns: || columns(io::stderr()),
        }
    }

    /// The same streams without anything that a terminal must be able to do.
    #[must_use]
    pub(crate) fn without_terminal(self) -> Self {
        Self {
            stdin_is_terminal: false,
            stderr_is_terminal: false,
            stdout_columns: || None,
            stderr_columns: || None,
            ..self
        }
    }
}

/// The width of the terminal behind `stream`, if it is one.
fn columns(stream: impl AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// The writer of everything the client says.
pub struct Output {
    stdout: Mutex<Box<dyn Write + Send>>,
    stderr: Mutex<Box<dyn Write + Send>>,
    person_types: bool,
    person_reads: bool,
    json: bool,
    coloured: bool,
    colours_data: bool,
    columns: fn() -> Option<usize>,
    talk_columns: fn() -> Option<usize>,
    /// Whether the last line of the terminal is one that will be replaced.
    has_transient: AtomicBool,
    /// Whether there is work that such lines may be about.
    is_watched: AtomicBool,
}

/// The longest error or hint that is shown, in characters.
const MAX_MESSAGE: usize = 1500;
/// Back to the first column, and nothing left on the line (ECMA-48 §8.3.41).
const CLEAR_LINE: &str = "\r\u{1b}[2K";

/// Progress lines are shown until this is dropped.
pub(crate) struct Watch<'a>(&'a Output);

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let stderr = self.0.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.is_watched.store(false, Ordering::Relaxed);
        drop(stderr);
        self.0.clear_transient();
    }
}

impl Output {
    /// Writes to `streams`: as JSON if `json`, and in colour if it is wanted and stderr is a
    /// terminal.
    pub fn new(streams: Streams, json: bool, wants_colour: bool) -> Self {
        Self {
            stdout: Mutex::new(streams.stdout),
            stderr: Mutex::new(streams.stderr),
            person_types: streams.stdin_is_terminal,
            person_reads: streams.stderr_is_terminal,
            json,
            coloured: wants_colour && streams.stderr_is_terminal,
            colours_data: wants_colour && (streams.stdout_columns)().is_some(),
            columns: streams.stdout_columns,
            talk_columns: streams.stderr_columns,
            has_transient: AtomicBool::new(false),
            is_watched: AtomicBool::new(false),
        }
    }

    /// Whether data and errors are JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    pub(crate) fn is_coloured(&self) -> bool {
        self.coloured
    }

    /// How wide the data may be; no terminal sets no bound.
    pub(crate) fn columns(&self) -> Option<usize> {
        (self.columns)()
    }

    /// Whether a user reads what is said.
    pub(crate) fn has_reader(&self) -> bool {
        self.person_reads
    }

    /// Whether a user reads what is said and can type an answer.
    pub(crate) fn is_conversation(&self) -> bool {
        self.person_types && self.person_reads
    }

    /// Writes `text` and a line break to stdout.
    pub(crate) fn data(&self, text: &str) -> Result<(), OutputError> {
        self.write_data(&printable(text))
    }

    /// An empty text for stdout, to be written by [`Self::text`].
    pub(crate) fn new_text(&self) -> Text {
        Text::new(self.colours_data)
    }

    /// Writes `text` and a line break to stdout, broken between words if that is a terminal.
    pub(crate) fn text(&self, text: &Text) -> Result<(), OutputError> {
        self.write_data(&text.shown(self.columns()))
    }

    /// Writes `value` to stdout as one line of JSON.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<(), OutputError> {
        let json = serde_json::to_string(value).map_err(io::Error::from);
        self.write_data(&printable_json(&json.map_err(OutputError::Failed)?))
    }

    pub(crate) fn say(&self, text: &str) {
        self.write_talk(&self.wrap(printable(text)));
    }

    /// Shows that the next line is read, on the same line.
    pub(crate) fn await_line(&self, sign: &str) {
        let mut stderr = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = write!(stderr, "{sign}").and_then(|()| stderr.flush());
    }

    fn wrap(&self, text: String) -> String {
        match (self.talk_columns)() {
            Some(columns) => wrapped(&text, columns),
            None => text,
        }
    }

    /// Writes a line that begins something new.
    pub(crate) fn heading(&self, text: &str) {
        self.write_talk(&self.paint(&printable(text), "1"));
    }

    pub(crate) fn aside(&self, text: &str) {
        self.write_talk(&self.paint(&printable(text), "90"));
    }

    /// Says what went wrong, the `message`, and the `hint` what to do about it, on stderr.
    ///
    /// Under `--json` this is one line, `{"error":{"code","message","hint"}}`. It also goes to
    /// stderr then, so that a program never parses a failure as a result.
    pub(crate) fn failure(&self, code: &str, message: &str, hint: Option<&str>) {
        // Both may quote a server, which may have sent any amount of text.
        let bounded = |text: &str| shortened(&printable_line(text), MAX_MESSAGE);
        let message = bounded(message);
        let hint = hint.map(bounded);
        if self.json {
            let mut described = serde_json::json!({ "code": code, "message": message });
            if let Some(hint) = hint {
                described["hint"] = hint.into();
            }
            let error = serde_json::json!({ "error": described });
            self.write_talk(&printable_json(&error.to_string()));
            return;
        }
        self.write_talk(&self.wrap(format!("{} {message}", self.paint("error:", "31;1"))));
        if let Some(hint) = hint {
            self.write_talk(&self.wrap(format!("{} {hint}", self.paint("hint:", "36;1"))));
        }
    }

    /// Begins a new line where the terminal has just shown what was typed, such as `^C`.
    pub(crate) fn leave_typed_line(&self) {
        if self.person_reads && !self.json {
            self.write_talk("");
        }
    }

    /// Allows progress lines until the returned guard is dropped.
    pub(crate) fn watch(&self) -> Watch<'_> {
        self.is_watched.store(true, Ordering::Relaxed);
        Watch(self)
    }

    /// Shows a progress line that the next one replaces. Nothing is shown once the work is over,
    /// because the line would follow other output.
    pub(crate) fn transient(&self, text: &str) {
        if !self.person_reads || self.json {
            return;
        }
        let text = printable_line(text);
        let mut stderr = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_watched.load(Ordering::Relaxed) {
            return;
        }
        let before = if self.has_transient.swap(true, Ordering::Relaxed) { CLEAR_LINE } else { "" };
        let _ = write!(stderr, "{before}{text}").and_then(|()| stderr.flush());
    }

    fn clear_transient(&self) {
        let mut stderr = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        if self.has_transient.swap(false, Ordering::Relaxed) {
            let _ = write!(stderr, "{CLEAR_LINE}").and_then(|()| stderr.flush());
        }
    }

    fn write_data(&self, text: &str) -> Result<(), OutputError> {
        self.clear_transient();
        let mut stdout = self.stdout.lock().unwrap_or_else(PoisonError::into_inner);
        let written = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
        written.map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => OutputError::Closed,
            _ => OutputError::Failed(error),
        })
    }

    /// A failure of stderr cannot be reported, so it is ignored.
    fn write_talk(&self, text: &str) {
        self.clear_transient();
        let mut stderr = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writeln!(stderr, "{text}").and_then(|()| stderr.flush());
    }

    fn paint(&self, word: &str, style: &str) -> String {
        if self.coloured { format!("\u{1b}[{style}m{word}\u{1b}[0m") } else { word.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("not poisoned").write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Shared {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().expect("not poisoned").clone()).expect("UTF-8")
        }
    }

    fn output(json: bool, coloured: bool) -> (Output, Shared, Shared) {
        let (stdout, stderr) = (Shared::default(), Shared::default());
        let streams = Streams {
            stdout: Box::new(stdout.clone()),
            stderr: Box::new(stderr.clone()),
            stdin_is_terminal: false,
            stderr_is_terminal: coloured,
            stdout_columns: || None,
            stderr_columns: || None,
        };
        (Output::new(streams, json, true), stdout, stderr)
    }

    #[test]
    fn data_loses_its_escapes_and_goes_to_stdout_alone() {
        let (output, stdout, stderr) = output(false, true);
        output.data("\u{1b}[2Jhello\nthere").expect("written");
        assert_eq!((stdout.text().as_str(), stderr.text().as_str()), ("hello\nthere\n", ""));
    }

    #[test]
    fn how_far_the_work_is_stands_on_one_line_and_never_after_the_work() {
        let (output, _, stderr) = output(false, true);
        let watch = output.watch();
        output.transient("1 of 2");
        output.transient("2 of 2");
        drop(watch);
        output.transient("2 of 2, late");
        assert_eq!(stderr.text(), "1 of 2\r\u{1b}[2K2 of 2\r\u{1b}[2K");
    }

    #[test]
    fn an_error_and_its_hint_are_talk() {
        let (output, stdout, stderr) = output(false, false);
        output.failure("interrupted", "stopped by Ctrl-C", Some("try again"));
        assert_eq!(stdout.text(), "");
        assert_eq!(stderr.text(), "error: stopped by Ctrl-C\nhint: try again\n");
    }

    #[test]
    fn an_error_under_json_is_one_object_on_stderr() {
        let (output, stdout, stderr) = output(true, false);
        output.failure("interrupted", "stopped by Ctrl-C", Some("try again"));
        assert_eq!(stdout.text(), "");
        let told: serde_json::Value = serde_json::from_str(&stderr.text()).expect("JSON");
        assert_eq!(told["error"]["code"], "interrupted");
        assert_eq!(told["error"]["hint"], "try again");
    }
}
