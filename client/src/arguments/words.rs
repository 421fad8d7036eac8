//! The words after a tool's name, before they are read by its schema.

use serde::de::IgnoredAny;

/// The words after a tool's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawArguments {
    /// All of them, as free text.
    text: String,
    /// Each word without its quotes; `None` if a quote is not closed.
    words: Option<Vec<String>>,
    /// Names that resemble an argument of the tool, which the user has confirmed as they are.
    confirmed: Vec<String>,
}

impl RawArguments {
    /// The rest of a line that was typed at the prompt.
    pub(crate) fn from_line(rest: &str) -> Self {
        let words = split_words(rest);
        let text = match words.as_deref() {
            // Quotes around the whole text are not part of it.
            Some([only]) if rest.starts_with(['"', '\'']) => only.clone(),
            _ => rest.to_owned(),
        };
        Self { text, words, confirmed: Vec::new() }
    }

    /// The arguments of a command, which the shell has already split.
    pub(crate) fn from_words(words: Vec<String>) -> Self {
        Self { text: words.join(" "), words: Some(words), confirmed: Vec::new() }
    }

    /// Accepts `name=…`, although the name resembles that of an argument.
    #[must_use]
    pub(crate) fn confirming(mut self, name: &str) -> Self {
        self.confirmed.push(name.to_owned());
        self
    }

    /// Writes `right=…` in place of `wrong=…`.
    #[must_use]
    pub(crate) fn corrected(self, wrong: &str, right: &str) -> Self {
        let correct = |word: &str| match split_pair(word) {
            Some((name, _)) if name == wrong => {
                format!("{right}{}", word.get(name.len()..).unwrap_or_default())
            }
            _ => word.to_owned(),
        };
        let words = self.words.map(|words| words.iter().map(|word| correct(word)).collect());
        Self { text: correct(&self.text), words, ..self }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Each word without its quotes; `None` if a quote is not closed.
    pub(crate) fn words(&self) -> Option<&[String]> {
        self.words.as_deref()
    }

    /// The first word as a pair. If a quote is not closed, it is read from the text: the quote
    /// comes after the first key.
    pub(super) fn first_pair(&self) -> Option<(&str, Spelled<'_>)> {
        let first = self.words.as_ref().map_or(Some(&self.text), |words| words.first());
        split_pair(first?)
    }

    pub(super) fn is_confirmed(&self, name: &str) -> bool {
        self.confirmed.iter().any(|confirmed| confirmed == name)
    }
}

/// A value as it was spelled: `key=text` or `key:=JSON`.
pub(super) enum Spelled<'a> {
    Text(&'a str),
    Json(&'a str),
}

pub(super) fn split_pair(word: &str) -> Option<(&str, Spelled<'_>)> {
    let (name, value) = word.split_once('=')?;
    match name.strip_suffix(':') {
        Some(name) => Some((name, Spelled::Json(value))),
        None => Some((name, Spelled::Text(value))),
    }
}

/// Words between spaces. Quotes hold words together and may begin inside one (`key="a b"`). Outside
/// quotes and in double quotes, a backslash escapes a quote, space or backslash. The value after
/// `:=` is JSON, with JSON's own quotes. `None` if a quote is not closed.
fn split_words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut rest = line;
    while let Some(character) = rest.chars().next() {
        if quote.is_none() && word.as_ref().is_some_and(|word| word.ends_with(":=")) {
            let json = leading_json(rest);
            word.get_or_insert_default().push_str(json);
            rest = beyond(rest, json.len());
            if !json.is_empty() {
                continue;
            }
        }
        rest = beyond(rest, character.len_utf8());
        match (character, quote) {
            (character, Some(open)) if character == open => quote = None,
            ('"' | '\'', None) => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            ('\\', None | Some('"')) => {
                let escaped = rest.chars().next().filter(|next| "\"'\\ ".contains(*next));
                rest = beyond(rest, usize::from(escaped.is_some()));
                word.get_or_insert_default().push(escaped.unwrap_or('\\'));
            }
            (space, None) if space.is_whitespace() => words.extend(word.take()),
            (character, _) => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

fn beyond(text: &str, length: usize) -> &str {
    text.get(length..).unwrap_or_default()
}

/// The JSON value at the start of `text`, as it is written; empty if there is none.
fn leading_json(text: &str) -> &str {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    match values.next() {
        Some(Ok(_)) => text.get(..values.byte_offset()).unwrap_or_default(),
        _ => "",
    }
}
