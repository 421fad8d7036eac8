//! The English of the project: its words are the field's, and limits and durations are named alike.
//!
//! The numbers are what is left. They only go down; write zero when the last one is gone.

use super::sources::{Source, documents, sources};

/// Words that a reader would have to learn or to read twice, with the number that is left in
/// sources and documents. Names count like prose.
const WORDS: [(&str, usize); 16] = [
    ("whoever", 12),
    ("nobody", 94),
    ("anew", 8),
    ("for ever", 3),
    ("stands", 11),
    ("beside", 3),
    ("is no", 130),
    ("are no", 17),
    ("asker", 0),
    ("arrival", 0),
    ("manners", 0),
    ("farewell", 0),
    ("begun", 7),
    ("somebody", 13),
    ("what is presented", 0),
    ("of which", 18),
];
/// Constants that are not called `MAX_…`, `…_TIMEOUT`, `…_TTL`, `…_INTERVAL` or `…_LIFETIME`.
const OLD_LIMITS: ([&str; 4], usize) = (["MOST_", "LONGEST_", "LARGEST_", "CACHED_FOR"], 0);

/// The text in lower case, one blank between two words; `_` parts words.
fn words(text: &str) -> String {
    let letters =
        text.chars().map(|c| if c.is_alphabetic() { c.to_ascii_lowercase() } else { ' ' });
    let letters: String = letters.collect();
    let words: Vec<&str> = letters.split_whitespace().collect();
    format!(" {} ", words.join(" "))
}

/// A document without the tests that it names by their paths: their words count where they are defined.
fn without_test_names(text: &str) -> String {
    text.split('`').filter(|part| !part.contains("::") || part.contains(' ')).collect()
}

/// This file and its neighbours are about such words, and the reference repeats the sources.
fn is_about_words(path: &str) -> bool {
    path.starts_with("tests/it/house") || path.starts_with("docs/reference")
}

#[test]
fn the_words_are_those_of_the_field() {
    let documents = documents().into_iter().map(|source| {
        let text = without_test_names(&source.text);
        Source { text, ..source }
    });
    let texts: Vec<String> = sources()
        .into_iter()
        .chain(documents)
        .filter(|source| !is_about_words(&source.path))
        .map(|source| words(&source.text))
        .collect();
    let mut more = Vec::new();
    for (word, most) in WORDS {
        let word_alone = format!(" {word} ");
        let found: usize = texts.iter().map(|text| text.matches(&word_alone).count()).sum();
        if found > most {
            more.push(format!("{word:?}: {found}, and {most} were left"));
        }
    }
    assert!(more.is_empty(), "write it in plain English: {more:#?}");
}

#[test]
fn limits_and_durations_are_named_alike() {
    let (prefixes, left) = OLD_LIMITS;
    let mut found = Vec::new();
    for source in sources().into_iter().filter(|source| !is_about_words(&source.path)) {
        for line in source.text.lines() {
            let Some((_, name)) = line.split_once("const ") else { continue };
            if prefixes.iter().any(|prefix| name.starts_with(prefix)) {
                found.push(format!("{}: {}", source.path, line.trim()));
            }
        }
    }
    assert!(found.len() <= left, "{} instead of {left}: {found:#?}", found.len());
}
