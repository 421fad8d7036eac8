//! Mistakes in configuration files: where one is, what is wrong, and what to write instead.

use std::fmt;

use toml::de;

/// Most edits between an unknown name and the one that is suggested instead. Of a short name, every third
/// letter may differ.
const MAX_EDITS: usize = 3;

/// What is wrong in a file, where, and what to write instead.
#[derive(Debug)]
pub struct Mistake {
    line: usize,
    column: usize,
    what: String,
}

impl Mistake {
    /// A mistake at a byte of `text`.
    pub fn at(text: &str, offset: usize, what: String) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Self { line: before.matches('\n').count() + 1, column: line.chars().count() + 1, what }
    }

    /// What the TOML parser found in `text`.
    pub fn from_toml(text: &str, error: &de::Error) -> Self {
        let message = error.message();
        let what = if message.starts_with("unknown field") {
            unknown_key(message)
        } else {
            message.replace('\n', " ").replacen("missing field", "missing key", 1)
        };
        Self::at(text, error.span().unwrap_or_default().start, what)
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.what)
    }
}

/// Rewords "unknown field `a`, expected one of `b`, `c`".
fn unknown_key(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = quoted.next().unwrap_or_default();
    let known: Vec<&str> = quoted.collect();
    match nearest(unknown, known.iter().copied()) {
        Some(key) => format!("unknown key `{unknown}`; did you mean `{key}`?"),
        None => format!("unknown key `{unknown}`; the keys here are {}", known.join(", ")),
    }
}

/// `; did you mean "…"?` with the known name that is nearest, if one is near.
pub fn suggestion<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    nearest(unknown, known).map(|name| format!("; did you mean {name:?}?"))
}

/// The known name that is nearest, if one is near.
fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.map(|name| (strsim::damerau_levenshtein(unknown, name), name)).min();
    let max_edits = MAX_EDITS.min(unknown.chars().count() / 3);
    near.filter(|(edits, _)| *edits <= max_edits).map(|(_, name)| name)
}
