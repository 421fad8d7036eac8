//! `pub` means used outside the crate; everything else is `pub(crate)`, so that the compiler finds
//! what is dead.

use std::collections::BTreeSet;

use super::sources::{Source, code, sources};

/// Crates whose libraries only this workspace uses, with the number of public items that no other
/// crate names. They only go down.
const UNUSED: [(&str, usize); 4] = [("auth", 33), ("client", 9), ("mcp", 1), ("web", 0)];

const KINDS: [&str; 7] = ["fn", "struct", "enum", "trait", "type", "const", "static"];
const QUALIFIERS: [&str; 3] = ["async", "const", "unsafe"];

/// Whether a file is part of the library of a crate, rather than of a program beside it.
fn is_in_library(source: &Source, name: &str) -> bool {
    let path = source.path.strip_prefix(name).and_then(|path| path.strip_prefix("/src/"));
    path.is_some_and(|path| path != "main.rs" && !path.starts_with("bin/"))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
}

/// The names of the items that a file makes public.
fn public_items(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let mut words = words(line.trim_start().strip_prefix("pub ")?).peekable();
        // `const fn` has a qualifier, `const NAME` a kind.
        while let Some(word) = words.next() {
            let is_next_a_kind = words.peek().is_some_and(|next| KINDS.contains(next));
            if KINDS.contains(&word) && !is_next_a_kind {
                return words.next();
            }
            if !QUALIFIERS.contains(&word) {
                return None;
            }
        }
        None
    })
}

#[test]
fn what_is_public_is_used_outside_its_crate() {
    let sources = sources();
    let named = sources.iter().map(|it| (it, words(&it.text).collect::<BTreeSet<&str>>()));
    let named: Vec<_> = named.collect();
    let mut more = Vec::new();
    for (name, most) in UNUSED {
        let outside = || named.iter().filter(|(source, _)| !is_in_library(source, name));
        let library = sources.iter().filter(|source| is_in_library(source, name));
        let library = library.filter(|source| !source.path.ends_with("tests.rs"));
        let unused: Vec<String> = library
            .flat_map(|source| public_items(code(source)).map(move |item| (&source.path, item)))
            .filter(|(_, item)| !outside().any(|(_, words)| words.contains(item)))
            .map(|(path, item)| format!("{path}: {item}"))
            .collect();
        if unused.len() > most {
            more.push(format!("{name}: {} instead of {most}: {unused:#?}", unused.len()));
        }
    }
    assert!(more.is_empty(), "make these pub(crate): {}", more.join("\n"));
}
