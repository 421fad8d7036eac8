//! `docs/attacks.md` keeps a row for each attack, and names only tests that exist.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use super::sources::{root, sources};

/// The rows of each component.
const ROWS: [(&str, usize); 18] = [
    ("AZ", 26),
    ("CA", 12),
    ("CL", 33),
    ("CM", 18),
    ("DB", 13),
    ("DP", 13),
    ("DR", 13),
    ("DV", 12),
    ("FC", 11),
    ("HT", 21),
    ("MD", 14),
    ("MT", 17),
    ("PR", 10),
    ("RS", 26),
    ("TK", 24),
    ("TX", 13),
    ("UP", 13),
    ("WB", 16),
];
/// Rows without a test, and rows whose tests send only a part of the variants. Both only go down.
const UNTESTED: usize = 5;
const TESTED_IN_PART: usize = 114;

const NO_TEST: &str = "no test yet";
const IN_PART: &str = "in part: ";

struct Row {
    id: String,
    /// Names of tests in backticks, or `NO_TEST`.
    covered_by: String,
    missing: String,
}

/// The lines of the table whose first cell is an id such as `AZ-01`.
fn rows() -> Vec<Row> {
    let table = fs::read_to_string(root().join("docs/attacks.md")).unwrap();
    let mut rows = Vec::new();
    for line in table.lines().filter(|line| line.starts_with("| ") && line.contains("-")) {
        let cells: Vec<String> = line.split('|').map(|cell| cell.trim().to_owned()).collect();
        let [_, id, _, covered_by, missing, _] = <[String; 6]>::try_from(cells).unwrap();
        rows.push(Row { id, covered_by, missing });
    }
    rows
}

#[test]
fn each_attack_has_one_row() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for row in rows() {
        let component = row.id.split('-').next().unwrap_or_default();
        *counts.entry(component.to_owned()).or_default() += 1;
        assert!(ids.insert(row.id.clone()), "{} comes twice", row.id);
    }
    let expected = ROWS.map(|(component, count)| (component.to_owned(), count));
    assert_eq!(counts, BTreeMap::from(expected));
}

/// A test is named as `folder::file::name` below `tests/it`, or as `crate/src/file.rs::name`.
#[test]
fn every_test_of_an_attack_exists() {
    let sources: BTreeMap<String, String> =
        sources().into_iter().map(|source| (source.path, source.text)).collect();
    let exists = |test: &str| {
        let Some((place, name)) = test.rsplit_once("::") else { return false };
        let path = if place.ends_with(".rs") {
            place.to_owned()
        } else {
            format!("tests/it/{}.rs", place.replace("::", "/"))
        };
        let Some(text) = sources.get(&path) else { return false };
        let Some((before, _)) = text.split_once(&format!("fn {name}(")) else { return false };
        before.lines().rev().take(4).any(|line| line.contains("test"))
    };
    let mut missing = Vec::new();
    for row in rows().iter().filter(|row| row.covered_by != NO_TEST) {
        let tests: Vec<&str> = row.covered_by.split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "{} names no test: write {NO_TEST:?}", row.id);
        let unknown = tests.iter().filter(|test| !exists(test));
        missing.extend(unknown.map(|test| format!("{}: {test}", row.id)));
    }
    assert!(missing.is_empty(), "no such test: {missing:#?}");
}

#[test]
fn attacks_without_a_complete_test_become_fewer() {
    let rows = rows();
    let untested = rows.iter().filter(|row| row.covered_by == NO_TEST).count();
    let in_part = rows.iter().filter(|row| row.missing.starts_with(IN_PART)).count();
    for row in &rows {
        let is_known = row.missing.is_empty() || row.missing.starts_with(IN_PART);
        assert!(is_known, "{}: the last column starts with {IN_PART:?}", row.id);
    }
    let lower = "write the lower number in tests/it/house/attacks.rs, or restore the tests";
    assert_eq!((untested, in_part), (UNTESTED, TESTED_IN_PART), "{lower}");
}
