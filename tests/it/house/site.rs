//! The documents: every link leads somewhere, the site has every page, and what is generated is new.

use std::{collections::BTreeSet, fs, path::Path};

use super::sources::{Source, documents, root};

/// Each link of a document, without what is in blocks of code.
fn links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    let mut is_code = false;
    for line in text.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
        }
        // What is between backticks only looks like a link.
        let words: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        let targets = words.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
        let pictures = words.split("src=\"").skip(1).filter_map(|rest| rest.split('"').next());
        if !is_code {
            links.extend(targets.chain(pictures).map(str::to_owned));
        }
    }
    links
}

/// The names by which the headings of a document can be linked to, as GitHub and mdBook make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let headings = headings.map(|line| line.trim_start_matches('#').trim().to_lowercase());
    headings
        .map(|line| line.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect())
        .map(|line: String| line.replace(' ', "-"))
        .collect()
}

fn is_elsewhere(link: &str) -> bool {
    ["http:", "https:", "mailto:"].iter().any(|scheme| link.starts_with(scheme))
}

/// What is wrong with a link of `document`, if something is.
fn fault(document: &Source, link: &str) -> Option<String> {
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let own = root().join(&document.path);
    let target = if path.is_empty() { own } else { own.parent()?.join(path) };
    if !target.exists() {
        return Some(format!("{}: {link} does not exist", document.path));
    }
    let is_page = target.extension().is_some_and(|extension| extension == "md");
    if anchor.is_empty() || !is_page {
        return None;
    }
    let is_there = anchors(&fs::read_to_string(&target).unwrap()).contains(anchor);
    (!is_there).then(|| format!("{}: {link} has no such heading", document.path))
}

#[test]
fn every_link_of_a_document_leads_to_a_file_and_a_heading() {
    let faults: Vec<_> = documents()
        .iter()
        .flat_map(|document| {
            let own = links(&document.text).into_iter().filter(|link| !is_elsewhere(link));
            own.filter_map(|link| fault(document, &link)).collect::<Vec<_>>()
        })
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn no_document_holds_the_marks_of_a_conflict() {
    let marked = documents().into_iter().filter(|document| {
        document
            .text
            .lines()
            .any(|line| line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> "))
    });
    let marked: Vec<_> = marked.map(|document| document.path).collect();
    assert!(marked.is_empty(), "{marked:?}");
}

/// The pages that a list names.
fn listed(list: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("docs").join(list)).unwrap();
    links(&text).into_iter().filter(|link| link.ends_with(".md")).collect()
}

#[test]
fn the_site_has_every_page_and_tells_it_to_programs() {
    let pages: BTreeSet<_> = documents()
        .iter()
        .filter_map(|document| document.path.strip_prefix("docs/"))
        .filter(|path| *path != "SUMMARY.md")
        .map(str::to_owned)
        .collect();
    for list in ["SUMMARY.md", "llms.txt"] {
        assert_eq!(listed(list), pages, "docs/{list}");
    }
    let book = fs::read_to_string(root().join("book.toml")).unwrap();
    assert!(book.contains("src = \"docs\""), "{book}");
}

#[test]
fn the_reference_says_what_the_sources_say() {
    for (path, content) in tests::reference::pages() {
        let shown: &Path = path.strip_prefix(root()).unwrap();
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == content, "{} is old: run `make reference`", shown.display());
    }
}
