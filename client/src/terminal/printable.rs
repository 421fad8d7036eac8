//! Makes text from a server safe to print: no terminal escapes, no control characters.
//!
//! With escape sequences a server could rewrite earlier lines, hide what it did or answer the
//! terminal's own queries. So every string from a server passes through here.

use std::{iter::Peekable, str::Chars};

use unicode_width::UnicodeWidthChar as _;

/// Most marks on one character that are shown: more climb over the lines above.
const MAX_MARKS: usize = 8;

/// `text` without escape sequences, control characters and invisible characters; line breaks and
/// tabs stay.
pub(crate) fn printable(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut marks = 0;
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_escape(&mut characters),
            '\u{9b}' => skip_control_sequence(&mut characters),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => skip_string(&mut characters),
            '\r' if characters.peek() == Some(&'\n') => {}
            '\n' | '\t' => kept.push(character),
            other if is_deceptive(other) => {}
            // Scripts and pictures outside of ASCII are joined by these; elsewhere they hide.
            '\u{200c}' | '\u{200d}' if kept.ends_with(|last: char| last.is_ascii()) => {}
            other => {
                marks = if other.width() == Some(0) { marks + 1 } else { 0 };
                if marks <= MAX_MARKS {
                    kept.push(other);
                }
            }
        }
    }
    kept
}

/// Like [`printable`], on one line: line breaks and tabs become spaces, runs of spaces one.
pub(crate) fn printable_line(text: &str) -> String {
    printable(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first `most` characters of `text`, and a sign where more follow.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// `json` with every control and direction character written as `\uXXXX`, so that it means the
/// same to a parser and nothing to a terminal. serde_json leaves DEL and U+0080 to U+009F alone.
pub(crate) fn printable_json(json: &str) -> String {
    let mut kept = String::with_capacity(json.len());
    for character in json.chars() {
        if is_deceptive(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                kept.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            kept.push(character);
        }
    }
    kept
}

/// Control characters, the ones that reorder what is shown around them, and the ones that carry
/// invisible text: spaces and hyphens without width, and tags.
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
                | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2064}'
                | '\u{feff}' | '\u{e0000}'..='\u{e007f}'
        )
}

fn skip_escape(characters: &mut Peekable<Chars<'_>>) {
    match characters.next() {
        Some('[') => skip_control_sequence(characters),
        Some(']' | 'P' | 'X' | '^' | '_') => skip_string(characters),
        // "nF" sequences such as the choice of a character set: intermediates, then one final.
        Some(' '..='/') => {
            while characters.next_if(|next| matches!(next, ' '..='/')).is_some() {}
            characters.next();
        }
        _ => {}
    }
}

/// Skips the parameters and the final byte of a control sequence (ECMA-48 §5.4).
fn skip_control_sequence(characters: &mut Peekable<Chars<'_>>) {
    while characters.next_if(|next| matches!(next, ' '..='?')).is_some() {}
    characters.next_if(|next| matches!(next, '@'..='~'));
}

/// Skips a control string up to its terminator: BEL, ST, or the end of the text.
fn skip_string(characters: &mut Peekable<Chars<'_>>) {
    while let Some(character) = characters.next() {
        match character {
            '\u{7}' | '\u{9c}' => return,
            '\u{1b}' => {
                characters.next_if_eq(&'\\');
                return;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_titles_and_links_leave_only_their_text() {
        assert_eq!(printable("\u{1b}[31;1mred\u{1b}[0m"), "red");
        assert_eq!(printable("\u{1b}]0;owned\u{7}title"), "title");
        assert_eq!(printable("\u{1b}]8;;https://evil\u{1b}\\here\u{1b}]8;;\u{1b}\\"), "here");
        assert_eq!(printable("\u{9b}2Jcleared \u{1b}(Bset"), "cleared set");
    }

    #[test]
    fn an_unfinished_escape_swallows_nothing_printable_after_a_line_break() {
        assert_eq!(printable("a\u{1b}"), "a");
        assert_eq!(printable("a\u{1b}[\nb"), "a\nb");
    }

    #[test]
    fn line_breaks_and_tabs_stay_and_carriage_returns_go() {
        assert_eq!(printable("one\r\ntwo\tthree\rfour\u{8}"), "one\ntwo\tthreefour");
        assert_eq!(printable_line(" one\n\n two\tthree "), "one two three");
    }

    #[test]
    fn characters_that_reorder_text_are_dropped() {
        assert_eq!(printable("abc\u{202e}fed\u{2066}"), "abcfed");
    }

    #[test]
    fn what_nobody_sees_is_dropped_and_marks_do_not_pile_up() {
        assert_eq!(printable("de\u{200b}le\u{ad}te\u{feff}\u{e0041}"), "delete");
        assert_eq!(printable("pay\u{200d}pal"), "paypal");
        assert_eq!(printable("👩\u{200d}🚀"), "👩\u{200d}🚀", "one picture");
        assert_eq!(printable("می\u{200c}خواهم"), "می\u{200c}خواهم", "one word");
        let piled = printable(&format!("a{}b", "\u{301}".repeat(10_000)));
        assert_eq!(piled.chars().count(), 2 + MAX_MARKS);
        assert_eq!(printable_json("\"\u{e0041}\""), "\"\\udb40\\udc41\"");
    }

    #[test]
    fn json_keeps_its_meaning_and_loses_its_control_characters() {
        let json = printable_json("{\"a\":\"x\u{9b}31m\u{7f}\"}");
        assert_eq!(json, "{\"a\":\"x\\u009b31m\\u007f\"}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&json).expect("still JSON"),
            serde_json::json!({"a": "x\u{9b}31m\u{7f}"})
        );
    }
}
