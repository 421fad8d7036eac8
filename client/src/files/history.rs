//! The lines typed at the prompt, newest last, in a file that only their owner may read.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::files::private_file;

/// Lines that are remembered.
pub(crate) const MAX_LINES: usize = 500;
/// The longest line that is written to the file, in bytes.
const MAX_LINE: usize = 4096;

/// Lines typed earlier. Losing them does no harm, so failures of the file are ignored.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    path: PathBuf,
    lines: Vec<String>,
}

impl History {
    pub(crate) fn read(directory: &Path) -> Self {
        let path = directory.join("history");
        let lines = read_lines(&path);
        Self { path, lines }
    }

    /// Adds `line` as the newest and drops its earlier copy. Unless it `is_secret`, it is written
    /// to the file, too.
    pub(crate) fn add(&mut self, line: &str, is_secret: bool) {
        add(&mut self.lines, line);
        // The file has a line for each entry.
        if !is_secret && line.len() <= MAX_LINE && !line.contains('\n') {
            // Another prompt may have added to it since it was read.
            let mut lines = read_lines(&self.path);
            add(&mut lines, line);
            write_lines(&self.path, &lines);
        }
    }

    /// All lines, the newest last.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }
}

fn add(lines: &mut Vec<String>, line: &str) {
    lines.retain(|known| known != line);
    lines.push(line.to_owned());
    let surplus = lines.len().saturating_sub(MAX_LINES);
    lines.drain(..surplus);
}

fn read_lines(path: &Path) -> Vec<String> {
    let content = fs::read_to_string(path).unwrap_or_default();
    content.lines().map(str::to_owned).collect()
}

fn write_lines(path: &Path, lines: &[String]) {
    let content = lines.iter().flat_map(|line| [line, "\n"]).collect::<String>();
    let written = path.parent().map_or(Ok(()), private_file::create_directory);
    let _ = written.and_then(|()| private_file::replace(path, content.as_bytes()));
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn lines(history: &History) -> Vec<&str> {
        history.lines().collect()
    }

    #[test]
    fn lines_survive_without_copies_for_their_owner_only() {
        let home = tempfile::tempdir().expect("a directory");
        let mut history = History::read(home.path());
        for line in ["tools", "echo one", "tools"] {
            history.add(line, false);
        }
        assert_eq!(lines(&History::read(home.path())), ["echo one", "tools"]);
        let mode = fs::metadata(home.path().join("history")).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_secret_is_remembered_until_the_prompt_ends_and_never_written() {
        let home = tempfile::tempdir().expect("a directory");
        let mut history = History::read(home.path());
        history.add("connect password=hunter2", true);
        history.add("echo one\ntwo", false);
        history.add(&"x".repeat(5000), false);
        assert_eq!(history.lines().count(), 3);
        assert_eq!(lines(&History::read(home.path())), Vec::<&str>::new());
    }

    #[test]
    fn two_prompts_at_once_keep_the_lines_of_both() {
        let home = tempfile::tempdir().expect("a directory");
        let (mut one, mut other) = (History::read(home.path()), History::read(home.path()));
        one.add("echo one", false);
        other.add("echo two", false);
        assert_eq!(lines(&History::read(home.path())), ["echo one", "echo two"]);
    }

    #[test]
    fn only_the_newest_five_hundred_stay() {
        let home = tempfile::tempdir().expect("a directory");
        let mut history = History::read(home.path());
        for number in 0..=MAX_LINES {
            history.add(&number.to_string(), false);
        }
        assert_eq!(history.lines().count(), MAX_LINES);
        assert_eq!(history.lines().next(), Some("1"));
    }
}
