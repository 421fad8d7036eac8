//! Each row of the table of advisories names tests that exist, or says why it needs none.

use std::{collections::BTreeSet, fs};

use super::sources::root;

const MIN_ROWS: usize = 60;
const IMPOSSIBLE: &str = "cannot arise here because ";

/// A row of the table: its identifiers, and what shows that the mistake was not made here.
struct Advisory {
    identifiers: Vec<String>,
    shown_by: String,
}

/// An identifier of a list of advisories, or an issue: `owner/repository#7`.
fn is_identifier(text: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    ["CVE-", "GHSA-", "RUSTSEC-"].iter().any(|list| text.starts_with(list))
        || text
            .split_once('#')
            .is_some_and(|(place, issue)| place.matches('/').count() == 1 && is_number(issue))
}

fn advisories() -> Vec<Advisory> {
    let page = fs::read_to_string(root().join("docs/advisories.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows = rows.map(|row| row.split(" | ").map(str::to_owned).collect::<Vec<_>>());
    let rows = rows.filter(|cells| cells[0] != "identifier");
    rows.map(|cells| {
        assert_eq!(cells.len(), 5, "{cells:?}");
        let identifiers: Vec<_> = cells[0].split(", ").map(str::to_owned).collect();
        assert!(identifiers.iter().all(|text| is_identifier(text)), "{identifiers:?}");
        Advisory { identifiers, shown_by: cells[4].clone() }
    })
    .collect()
}

/// The tests that a cell names as `path::name`.
fn named_tests(cell: &str) -> Vec<(&str, &str)> {
    cell.split('`').skip(1).step_by(2).filter_map(|name| name.split_once(".rs::")).collect()
}

#[test]
fn every_test_that_the_advisories_name_exists() {
    let mut missing = Vec::new();
    for Advisory { identifiers, shown_by } in advisories() {
        let tests = named_tests(&shown_by);
        let says_why = shown_by.starts_with(IMPOSSIBLE);
        assert!(says_why || !tests.is_empty(), "{identifiers:?} names no test: {shown_by}");
        for (path, name) in tests {
            let file = fs::read_to_string(root().join(format!("{path}.rs"))).unwrap_or_default();
            if !file.contains(&format!("fn {name}(")) {
                missing.push(format!("{path}.rs::{name} ({identifiers:?})"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn no_advisory_comes_twice() {
    let advisories = advisories();
    assert!(advisories.len() >= MIN_ROWS, "{} rows", advisories.len());
    let mut known = BTreeSet::new();
    for identifier in advisories.iter().flat_map(|advisory| &advisory.identifiers) {
        assert!(known.insert(identifier), "{identifier} comes twice");
    }
}
