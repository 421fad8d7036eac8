//! The list of reason codes in docs is that of the sources.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Scopes stand before sentences too, their words for people.
const NOT_REASONS: [&str; 4] = ["openid", "profile", "email", "offline_access"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn sources(folder: &Path, texts: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, texts);
        } else if !path.ends_with("tests.rs") {
            let text = fs::read_to_string(&path).unwrap();
            texts.push(text.split("#[cfg(test)]").next().unwrap().to_owned());
        }
    }
}

/// Each string literal of a source, with the code that stands before it.
fn literals(source: &str) -> Vec<(String, String)> {
    let lines = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let source = lines.collect::<Vec<_>>().join("\n").replace("'\"'", "'_'");
    let mut found = Vec::new();
    let mut before = String::new();
    let mut characters = source.chars();
    while let Some(character) = characters.next() {
        if character != '"' {
            before.push(character);
            continue;
        }
        let mut literal = String::new();
        while let Some(character) = characters.next().filter(|character| *character != '"') {
            literal.push(character);
            if character == '\\' {
                literal.extend(characters.next());
            }
        }
        before.retain(|character| !character.is_whitespace());
        found.push((std::mem::take(&mut before), literal));
    }
    found
}

fn is_code(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

fn is_sentence(text: &str) -> bool {
    text.contains(' ') && text.starts_with(|c: char| c.is_ascii_uppercase() || c == '{')
}

/// A code that stands before a sentence, or names what failed on this side.
fn reasons(source: &str) -> BTreeSet<String> {
    let literals = literals(source);
    let names = |(before, literal): &&(String, String)| {
        let fails = ["server_error(", "outage("].iter().any(|call| before.ends_with(call));
        is_code(literal) && fails
    };
    let failed = literals.iter().filter(names).map(|(_, literal)| literal.clone());
    let told = literals.windows(2).filter_map(|pair| {
        let (_, code) = pair.first()?;
        let (between, sentence) = pair.get(1)?;
        let follows = matches!(&**between, "," | ",format!(");
        (follows && is_code(code) && is_sentence(sentence)).then(|| code.clone())
    });
    told.chain(failed).filter(|code| !NOT_REASONS.contains(&&**code)).collect()
}

#[test]
fn every_reason_code_is_listed_with_its_meaning_and_no_other() {
    let mut texts = Vec::new();
    for folder in ["auth/src", "net/src"] {
        sources(&root().join(folder), &mut texts);
    }
    let used: BTreeSet<String> = texts.iter().flat_map(|text| reasons(text)).collect();
    assert!(used.len() > 100, "the reason codes were not found: {used:?}");
    let file = fs::read_to_string(root().join("docs/reason-codes.md")).unwrap();
    let rows = file.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let listed: BTreeSet<String> = rows.map(|(code, _)| code.to_owned()).collect();
    let missing: Vec<_> = used.difference(&listed).collect();
    assert!(missing.is_empty(), "add to docs/reason-codes.md: {missing:?}");
    let known = |code: &&String| texts.iter().any(|text| text.contains(&format!("\"{code}\"")));
    let gone: Vec<_> = listed.iter().filter(|code| !known(code)).collect();
    assert!(gone.is_empty(), "take out of docs/reason-codes.md: {gone:?}");
}
