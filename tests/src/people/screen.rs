//! What a terminal shows: lines of characters, each with its style.

use std::fmt::Write;

/// The lines of a screen, without the empty ones at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Screen {
    /// From top to bottom.
    pub lines: Vec<Line>,
}

/// A line of a screen, without the blanks at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(pub Vec<Cell>);

/// A character and how it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    pub character: char,
    pub style: Style,
}

/// How a character is shown (ECMA-48 §8.3.117).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// One of the sixteen colours of a terminal, if not its usual one.
    pub colour: Option<u8>,
    pub is_bold: bool,
    pub is_faint: bool,
}

impl Screen {
    /// Reads what tmux captured with escape sequences.
    pub fn read(captured: &str) -> Self {
        let mut style = Style::default();
        let mut lines: Vec<_> = captured.lines().map(|line| Line::read(line, &mut style)).collect();
        while lines.last().is_some_and(|line| line.0.is_empty()) {
            lines.pop();
        }
        Self { lines }
    }

    /// The lines without style.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for line in &self.lines {
            let _ = writeln!(text, "{}", line.text());
        }
        text
    }

    /// What `later` shows from the first line on that is not as it is here.
    pub fn news_in(&self, later: &Self) -> Self {
        let same = self.lines.iter().zip(&later.lines).take_while(|(one, other)| one == other);
        Self { lines: later.lines.iter().skip(same.count()).cloned().collect() }
    }
}

impl Line {
    fn read(text: &str, style: &mut Style) -> Self {
        let mut cells = Vec::new();
        let mut rest = text.chars();
        while let Some(character) = rest.next() {
            if character == '\u{1b}' {
                let sequence: String =
                    rest.by_ref().skip(1).take_while(|next| !next.is_ascii_alphabetic()).collect();
                style.change(&sequence);
            } else {
                cells.push(Cell { character, style: *style });
            }
        }
        while cells.last().is_some_and(|cell| cell.character == ' ') {
            cells.pop();
        }
        Self(cells)
    }

    pub fn text(&self) -> String {
        self.0.iter().map(|cell| cell.character).collect()
    }

    /// Replaces `old` by `new` everywhere, in the style of the first character of `old`.
    pub fn replace(&mut self, old: &str, new: &str) {
        let old: Vec<_> = old.chars().collect();
        let mut at = 0;
        while at + old.len() <= self.0.len() {
            let found = self.0[at..at + old.len()].iter().map(|cell| cell.character);
            if !old.is_empty() && found.eq(old.iter().copied()) {
                self.put(at..at + old.len(), new);
                at += new.chars().count();
            } else {
                at += 1;
            }
        }
    }

    /// Puts `new` wherever characters that fulfil `is_part` follow `before`.
    pub fn replace_after(&mut self, before: &str, is_part: impl Fn(char) -> bool, new: &str) {
        let before: Vec<_> = before.chars().collect();
        let mut at = 0;
        while at + before.len() < self.0.len() {
            let start = at + before.len();
            let found = self.0[at..start].iter().map(|cell| cell.character);
            let is_here = found.eq(before.iter().copied());
            let part = self.0[start..].iter().take_while(|cell| is_part(cell.character)).count();
            if is_here && part > 0 {
                self.put(start..start + part, new);
            }
            at += 1;
        }
    }

    fn put(&mut self, place: std::ops::Range<usize>, new: &str) {
        let style = self.0[place.start].style;
        let cells = new.chars().map(|character| Cell { character, style });
        self.0.splice(place, cells.collect::<Vec<_>>());
    }
}

impl Style {
    /// Takes over what a sequence of selections says.
    fn change(&mut self, sequence: &str) {
        let mut numbers = sequence.split(';').map(|number| number.parse::<u8>().unwrap_or(0));
        while let Some(number) = numbers.next() {
            match number {
                0 => *self = Self::default(),
                1 => self.is_bold = true,
                2 => self.is_faint = true,
                22 => (self.is_bold, self.is_faint) = (false, false),
                30..=37 => self.colour = Some(number - 30),
                90..=97 => self.colour = Some(number - 90 + 8),
                38 if numbers.next() == Some(5) => {
                    self.colour = numbers.next().filter(|colour| *colour < 16);
                }
                39 => self.colour = None,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_are_read_and_blanks_at_the_end_are_not() {
        let screen = Screen::read("\u{1b}[1;31mbad\u{1b}[0m it is  \n\u{1b}[38;5;14m❯\n\n");
        assert_eq!(screen.text(), "bad it is\n❯\n");
        let red = Style { colour: Some(1), is_bold: true, is_faint: false };
        assert_eq!(
            (screen.lines[0].0[0].style, screen.lines[0].0[4].style),
            (red, Style::default())
        );
        assert_eq!(screen.lines[1].0[0].style.colour, Some(14));
    }

    #[test]
    fn what_is_new_begins_with_the_first_line_that_differs() {
        let before = Screen::read("a\n❯\n");
        let after = Screen::read("a\n❯ b\nc\n");
        assert_eq!(before.news_in(&after).text(), "❯ b\nc\n");
    }

    #[test]
    fn names_are_replaced_wherever_they_stand() {
        let mut line = Screen::read("localhost:41 and localhost:41?state=abc&x").lines.remove(0);
        line.replace("localhost:41", "localhost:3000");
        line.replace_after("state=", char::is_alphanumeric, "…");
        assert_eq!(line.text(), "localhost:3000 and localhost:3000?state=…&x");
    }
}
