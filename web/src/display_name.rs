//! Makes a name that a stranger chose harmless to look at.

/// The longest name shown, in characters, the ellipsis included.
const MAX_NAME_LENGTH: usize = 64;

/// How many accents may stand on one letter: more would climb over the lines around it.
const MAX_ACCENTS: usize = 2;

/// A name from outside, fit to be shown to a person.
///
/// Control, bidirectional-override, zero-width and other invisible characters are removed, white
/// space is collapsed, towers of accents are cut, and what remains is at most 64 characters long,
/// ending in an ellipsis where it was cut. It is empty where nothing is left to see. Markup is not
/// touched: the page escapes it.
pub fn display_name(name: &str) -> String {
    let visible = visible(name);
    if visible.chars().count() <= MAX_NAME_LENGTH {
        return visible;
    }
    let kept: String = visible.chars().take(MAX_NAME_LENGTH - 1).collect();
    format!("{}…", kept.trim_end())
}

/// The first letter or digit of a name, in upper case; empty where it has none.
pub(crate) fn initial(name: &str) -> String {
    let letter = name.chars().find(|character| character.is_alphanumeric());
    letter.into_iter().flat_map(char::to_uppercase).collect()
}

/// The text without what cannot be seen, and with single spaces.
///
/// An address gets this alone: cutting a host would hide its end, which is the part that counts.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut accents = 0;
    for character in text.chars() {
        if character.is_whitespace() {
            if !shown.is_empty() && !shown.ends_with(' ') {
                shown.push(' ');
            }
            continue;
        }
        if is_invisible(character) {
            continue;
        }
        accents = if is_accent(character) { accents + 1 } else { 0 };
        if accents <= MAX_ACCENTS {
            shown.push(character);
        }
    }
    shown.truncate(shown.trim_end().len());
    shown
}

/// Characters that leave no mark of their own, or that change the order of their neighbours.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00ad}' // soft hyphen
            | '\u{034f}' // combining grapheme joiner
            | '\u{061c}' // Arabic letter mark
            | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // Hangul fillers
            | '\u{17b4}' | '\u{17b5}' // Khmer inherent vowels
            | '\u{180b}'..='\u{180f}' // Mongolian selectors and vowel separator
            | '\u{200b}'..='\u{200f}' // zero-width characters, direction marks
            | '\u{202a}'..='\u{202e}' // direction embeddings and overrides
            | '\u{2060}'..='\u{206f}' // word joiner, direction isolates, deprecated formats
            | '\u{2800}' // Braille blank
            | '\u{fe00}'..='\u{fe0f}' // variation selectors
            | '\u{feff}' // byte order mark
            | '\u{fff0}'..='\u{fffb}' // unassigned and interlinear annotation
            | '\u{e0000}'..='\u{e0fff}' // tags, more variation selectors
        )
}

/// The blocks of combining marks that stack on any letter.
pub(crate) fn is_accent(character: char) -> bool {
    matches!(character,
        '\u{0300}'..='\u{036f}'
        | '\u{0483}'..='\u{0489}'
        | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_honest_name_stays_as_it_is() {
        for name in ["Claude Code", "Ångström café", "東京ツール", "עורך", "Ship it 🚀"]
        {
            assert_eq!(display_name(name), name);
        }
    }

    #[test]
    fn characters_that_reorder_text_are_removed() {
        assert_eq!(display_name("safe\u{202e}gpj.exe\u{2066}!\u{200f}"), "safegpj.exe!");
    }

    #[test]
    fn characters_that_cannot_be_seen_are_removed() {
        assert_eq!(display_name("Git\u{200b}Hub\u{feff}\u{ad}\u{3164}"), "GitHub");
        assert_eq!(display_name("a\u{0}b\u{7f}c\u{1b}d"), "abcd");
        assert_eq!(display_name("plain\u{e0041}\u{e0042}"), "plain");
    }

    #[test]
    fn white_space_is_collapsed() {
        assert_eq!(display_name("  two\r\n\t lines\u{2028}\u{3000}here  "), "two lines here");
        assert_eq!(display_name("a \u{200b} b"), "a b");
    }

    #[test]
    fn a_long_name_is_cut_at_64_characters() {
        assert_eq!(display_name(&"x".repeat(64)), "x".repeat(64));
        let cut = display_name(&"é".repeat(2_000));
        assert_eq!(cut.chars().count(), 64);
        assert!(cut.ends_with('…'));
    }

    #[test]
    fn a_tower_of_accents_is_cut() {
        assert_eq!(display_name("e\u{301}\u{302}\u{303}\u{304}!"), "e\u{301}\u{302}!");
    }

    #[test]
    fn nothing_is_left_of_a_name_with_nothing_to_see() {
        assert_eq!(display_name(""), "");
        assert_eq!(display_name("\u{200b}\u{2800} \n"), "");
    }

    #[test]
    fn an_address_keeps_its_end() {
        let host = format!("accounts.example.{}evil.example", "a.".repeat(60));
        assert_eq!(visible(&host), host);
    }
}
