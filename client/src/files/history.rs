//! The lines typed at the prompt, newest last, in a file that only their owner may read.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::files::private_file;

const MAX_LINES: usize = 500;

/// Lines typed earlier. Losing them does no harm, so failures of the file are ignored.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    path: PathBuf,
    lines: Vec<String>,
}

impl History {
    pub(crate) fn read(directory: &Path) -> Self {
        let path = directory.join("history");
        let content = fs::read_to_string(&path).unwrap_or_default();
        Self { path, lines: content.lines().map(str::to_owned).collect() }
    }

    /// Adds `line` as the newest, drops its earlier copy and the oldest lines beyond 500.
    pub(crate) fn add(&mut self, line: &str) {
        self.lines.retain(|known| known != line);
        self.lines.push(line.to_owned());
        let surplus = self.lines.len().saturating_sub(MAX_LINES);
        self.lines.drain(..surplus);
        self.write();
    }

    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().rev().map(String::as_str)
    }

    fn write(&self) {
        let content = self.lines.iter().flat_map(|line| [line, "\n"]).collect::<String>();
        let written = self.path.parent().map_or(Ok(()), private_file::create_directory);
        let _ = written.and_then(|()| private_file::replace(&self.path, content.as_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_survive_newest_first_and_without_copies() {
        let home = tempfile::tempdir().expect("a directory");
        let mut history = History::read(home.path());
        for line in ["tools", "echo one", "tools"] {
            history.add(line);
        }
        let history = History::read(home.path());
        assert_eq!(history.newest_first().collect::<Vec<_>>(), ["tools", "echo one"]);
    }

    #[test]
    fn only_the_newest_five_hundred_stay() {
        let home = tempfile::tempdir().expect("a directory");
        let mut history = History { path: home.path().join("history"), lines: Vec::new() };
        for number in 0..=MAX_LINES {
            history.add(&number.to_string());
        }
        assert_eq!(history.newest_first().count(), MAX_LINES);
        assert_eq!(history.newest_first().last(), Some("1"));
    }
}
