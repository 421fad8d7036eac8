//! Text for people: made safe to print, with colours that mean something, and broken between words.

use unicode_width::UnicodeWidthChar as _;

use crate::terminal::printable::printable;

/// The widest column that the rest of a line is aligned with.
const MAX_HANGING: usize = 24;

/// What a part of a text is, and so how it is shown (ECMA-48 §8.3.117).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// The name of something.
    Strong,
    /// What matters less.
    Faint,
    Good,
    Warning,
    Bad,
}

/// A text that is made of parts.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    shown: String,
    coloured: bool,
}

impl Text {
    pub(crate) fn new(coloured: bool) -> Self {
        Self { shown: String::new(), coloured }
    }

    pub(crate) fn push(&mut self, text: &str) {
        self.shown.push_str(&printable(text));
    }

    pub(crate) fn push_styled(&mut self, style: Style, text: &str) {
        let text = printable(text);
        if !self.coloured || text.is_empty() {
            self.shown.push_str(&text);
            return;
        }
        let number = match style {
            Style::Strong => "1",
            Style::Faint => "2",
            Style::Good => "32",
            Style::Warning => "33",
            Style::Bad => "31;1",
        };
        self.shown.push_str(&format!("\u{1b}[{number}m{text}\u{1b}[0m"));
    }

    /// The text for a terminal of this width, or as it is.
    pub(crate) fn shown(&self, columns: Option<usize>) -> String {
        match columns {
            Some(columns) => wrapped(&self.shown, columns),
            None => self.shown.clone(),
        }
    }
}

/// `text` with lines of at most `columns` cells, broken between words. A word that is wider than a
/// line stays where it is, so that an address can be copied. The rest of a broken line is aligned
/// with its text: with what follows the first gap of two spaces, or with its first word.
pub(super) fn wrapped(text: &str, columns: usize) -> String {
    let lines: Vec<_> = text.split('\n').map(|line| wrapped_line(line, columns)).collect();
    lines.join("\n")
}

fn wrapped_line(line: &str, columns: usize) -> String {
    if width(line) <= columns {
        return line.to_owned();
    }
    let indentation = hanging(line);
    let start = line.len() - line.trim_start_matches(' ').len();
    let mut kept = line.get(..start).unwrap_or_default().to_owned();
    let mut used = start;
    for word in line.get(start..).unwrap_or_default().split_inclusive(' ') {
        let wide = width(word.trim_end_matches(' '));
        let would_fit = indentation + wide <= columns;
        if used + wide > columns && would_fit && used > indentation {
            kept.truncate(kept.trim_end_matches(' ').len());
            kept.push('\n');
            kept.push_str(&" ".repeat(indentation));
            used = indentation;
        }
        kept.push_str(word);
        used += width(word);
    }
    kept
}

/// Where the text of `line` begins.
fn hanging(line: &str) -> usize {
    let start = line.len() - line.trim_start_matches(' ').len();
    let rest = line.get(start..).unwrap_or_default();
    let Some((name, after)) = rest.split_once("  ") else { return start };
    let gap = 2 + after.len() - after.trim_start_matches(' ').len();
    let column = start + width(name) + gap;
    if column <= MAX_HANGING { column } else { start }
}

/// The cells that `text` takes; what selects a style takes none.
fn width(text: &str) -> usize {
    let mut characters = text.chars();
    let mut cells = 0;
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            characters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            cells += character.width().unwrap_or_default();
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_aligned_with_their_text() {
        assert_eq!(wrapped("one two three", 8), "one two\nthree");
        assert_eq!(wrapped("  so  one two three", 11), "  so  one\n      two\n      three");
        assert_eq!(wrapped("   one two three\nfour", 10), "   one two\n   three\nfour");
        let address = "https://as.example/authorize?state=s";
        let open = format!("open {address}");
        assert_eq!(wrapped(&open, 20), open);
        assert_eq!(wrapped("a  b", 80), "a  b");
    }

    #[test]
    fn a_style_takes_no_cells_and_needs_colour() {
        let text = |coloured| {
            let mut text = Text::new(coloured);
            text.push_styled(Style::Good, "✓");
            text.push(" one\u{1b}[2J two");
            text.shown(Some(9))
        };
        assert_eq!(text(true), "\u{1b}[32m✓\u{1b}[0m one two");
        assert_eq!(text(false), "✓ one two");
    }
}
