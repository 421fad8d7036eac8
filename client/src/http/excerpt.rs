//! A short piece of an unexpected body, safe to print, so that a user sees what the server said.

use crate::terminal::printable::{printable_line, shortened};

const MAX_EXCERPT: usize = 160;
/// How much of a body is looked at.
const MAX_EXAMINED: usize = 4 * 1024;

/// The beginning of `body` in one line: the text of a web page without its markup, anything else as
/// it is. Empty if there is nothing to show.
pub(crate) fn excerpt(body: &[u8]) -> String {
    let examined = body.get(..MAX_EXAMINED).unwrap_or(body);
    let text = String::from_utf8_lossy(examined);
    let is_page = text.trim_start().starts_with('<');
    let line = printable_line(&if is_page { without_markup(&text) } else { text.into_owned() });
    shortened(&line, MAX_EXCERPT)
}

/// What a browser would show of a page, roughly: no tags, styles, scripts and comments.
fn without_markup(page: &str) -> String {
    let mut shown = String::new();
    let mut rest = page;
    while let Some((text, markup)) = rest.split_once('<') {
        shown.push_str(text);
        shown.push(' ');
        let end = match markup.get(..6).map(str::to_ascii_lowercase).as_deref() {
            Some("style>" | "style ") => "</style>",
            Some("script") => "</script>",
            Some(start) if start.starts_with("!--") => "-->",
            _ => ">",
        };
        rest = markup.split_once(end).map_or("", |(_, after)| after);
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shows_its_words_and_not_its_markup() {
        let page =
            b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title><style>a{b:c}</style>\
            </head>\n<body><!-- padding > --><h1>Sorry</h1><script>x = 1 < 2</script>nginx</body>";
        assert_eq!(excerpt(page), "502 Bad Gateway Sorry nginx");
    }

    #[test]
    fn nothing_in_a_body_reaches_the_terminal_and_little_of_it_is_shown() {
        assert_eq!(excerpt(b"\x1b[2Jno\xff \r\n\tway"), "no\u{fffd} way");
        assert_eq!(excerpt(&vec![b'a'; 1_000_000]).chars().count(), MAX_EXCERPT + 1);
        assert_eq!(excerpt("é".repeat(300).as_bytes()).chars().count(), MAX_EXCERPT + 1);
        assert_eq!(excerpt(b" \n"), "");
        for odd in ["<", "<!", "<style", "<é<é", "a < b"] {
            excerpt(odd.as_bytes());
        }
    }
}
