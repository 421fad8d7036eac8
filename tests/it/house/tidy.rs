//! The house rules that need a reader of sources rather than a compiler.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use super::sources::{code, members, offenders, root, sources};

/// Lines of a source file.
const MAX_FILE_LINES: usize = 450;
const FORBIDDEN_NAMES: [&str; 6] = ["utils", "helpers", "common", "misc", "types", "models"];

#[test]
fn every_file_opens_with_a_sentence() {
    let missing = offenders(|source| !source.text.starts_with("//! "));
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn no_file_grows_out_of_hand() {
    let long = offenders(|source| source.text.lines().count() > MAX_FILE_LINES);
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn no_file_has_a_name_that_says_nothing() {
    let vague = offenders(|source| {
        source.path.split(['/', '.']).any(|part| FORBIDDEN_NAMES.contains(&part))
    });
    assert!(vague.is_empty(), "{vague:?}");
}

#[test]
fn only_storage_names_the_orm() {
    let named = offenders(|source| {
        let is_storage = source.path.starts_with("auth/src/storage");
        source.path.starts_with("auth/src") && !is_storage && source.text.contains("sea_orm::")
    });
    assert!(named.is_empty(), "{named:?}");
}

#[test]
fn the_rules_of_oauth_do_no_io() {
    let tainted = offenders(|source| {
        let is_imported = |name: &&str| {
            code(source).contains(&format!("use {name}"))
                || code(source).contains(&format!("crate::{name}"))
        };
        source.path.starts_with("auth/src/oauth")
            && (["axum", "storage::", "reqwest", "tokio"].iter().any(is_imported)
                || code(source).contains("Clock"))
    });
    assert!(tainted.is_empty(), "{tainted:?}");
}

#[test]
fn keys_and_web_do_no_io() {
    let tainted = offenders(|source| {
        let pure = source.path.starts_with("keys/src") || source.path.starts_with("web/src");
        pure && !source.path.ends_with("main.rs")
            && ["std::fs", "std::net", "tokio::", "reqwest::", "std::env"]
                .iter()
                .any(|name| code(source).contains(name))
    });
    assert!(tainted.is_empty(), "{tainted:?}");
}

#[test]
fn one_file_names_each_library_that_draws_the_prompt() {
    let places =
        [("inquire::", "client/src/prompt.rs"), ("reedline::", "client/src/prompt/editor.rs")];
    for (library, place) in places {
        let named = offenders(|source| {
            source.path.starts_with("client/src")
                && source.path != place
                && source.text.contains(library)
        });
        assert!(named.is_empty(), "{named:?}");
    }
}

/// The arrows between crates are those that ARCHITECTURE.md draws, and no others.
#[test]
fn crates_depend_on_each_other_as_the_architecture_says() {
    let mut members = members();
    // It has no code to depend on.
    members.retain(|name| name != "workspace-hack");
    let drawn = drawn_arrows(&members);
    for name in &members {
        let manifest = fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
        // A feature may have the name of a crate.
        let sections = manifest.split("\n[").filter(|section| section.contains("dependencies]\n"));
        let keys =
            sections.flat_map(str::lines).filter_map(|line| line.split(['.', ' ', '=']).next());
        let imported: BTreeSet<&str> =
            keys.filter(|key| is_one_of(&members, key) && key != name).collect();
        let arrows = drawn.get(&**name).unwrap_or_else(|| panic!("draw the arrows of {name}"));
        // The test harness names whatever it tests.
        if name != "tests" {
            let arrows: BTreeSet<&str> = arrows.iter().map(String::as_str).collect();
            assert_eq!(imported, arrows, "{name}/Cargo.toml and ARCHITECTURE.md disagree");
        }
    }
}

/// Each crate on the left of an arrow in ARCHITECTURE.md, with those on its right.
fn drawn_arrows(members: &[String]) -> BTreeMap<String, Vec<String>> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let list = |text: &str| -> Vec<String> {
        let names = text.split(',').map(str::trim).filter(|name| is_one_of(members, name));
        names.map(str::to_owned).collect()
    };
    let mut arrows = BTreeMap::new();
    for (from, to) in text.lines().filter_map(|line| line.split_once('→')) {
        arrows.extend(list(from).into_iter().map(|name| (name, list(to))));
    }
    arrows
}

fn is_one_of(members: &[String], name: &str) -> bool {
    members.iter().any(|member| member == name)
}

#[test]
fn every_endpoint_has_a_file_of_tests_and_a_header() {
    let folder = root().join("auth/src/endpoints");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if path.is_dir() || ["home.rs", "health.rs", "style.rs"].contains(&name) {
            continue;
        }
        let first = fs::read_to_string(&path).unwrap();
        let header = first.lines().next().unwrap_or_default();
        assert!(header.starts_with("//! `GET /") || header.starts_with("//! `POST /"), "{name}");
        assert!(root().join("tests/it/endpoints").join(name).exists(), "{name} has no tests");
    }
}

/// `docs/requirements` links each demand of the specification to what proves it: the name of a test
/// function, or the path of a script. A demand that is not met says why.
#[test]
fn every_requirement_is_linked_to_a_test_that_exists() {
    let code: String = sources().into_iter().map(|source| source.text).collect();
    let exists = |proof: &str| {
        if proof.contains('/') {
            root().join(proof).exists()
        } else {
            code.contains(&format!("fn {proof}("))
        }
    };
    for entry in fs::read_dir(root().join("docs/requirements")).unwrap() {
        let path = entry.unwrap().path();
        for row in fs::read_to_string(&path).unwrap().lines().filter(|row| is_requirement(row)) {
            let proofs: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
            let missing: Vec<_> = proofs.iter().filter(|proof| !exists(proof)).collect();
            assert!(missing.is_empty(), "{}: {missing:?} in {row}", path.display());
            let excused = ["not done: ", "does not apply: "].iter().any(|why| row.contains(why));
            assert!(!proofs.is_empty() || excused, "{}: no proof in {row}", path.display());
        }
    }
}

/// `docs/security.md` names tests in backticks; a test has a name of at least five words.
#[test]
fn every_test_that_the_security_page_names_exists() {
    let code: String = sources().into_iter().map(|source| source.text).collect();
    let page = fs::read_to_string(root().join("docs/security.md")).unwrap();
    let named = page.split('`').skip(1).step_by(2).filter(|name| {
        name.matches('_').count() >= 4
            && name.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit())
    });
    let named: Vec<&str> = named.collect();
    assert!(named.len() > 80, "{} names", named.len());
    let missing: Vec<_> =
        named.iter().filter(|name| !code.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// What the guides for people name, in backticks or as a link, is there to be opened.
#[test]
fn every_path_that_a_guide_names_exists() {
    let folders = members().into_iter().chain(["docs".to_owned()]);
    let folders: Vec<_> = folders.map(|folder| format!("{folder}/")).collect();
    let guides = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"];
    for guide in guides {
        let text = fs::read_to_string(root().join(guide)).unwrap();
        let words = text.split(['`', '(', ')', ' ', '\n', '#']);
        let paths = words.filter(|word| folders.iter().any(|folder| word.starts_with(&**folder)));
        let paths = paths.filter(|word| !word.contains(['<', '*', ',']));
        let missing: Vec<_> = paths.filter(|path| !root().join(path).exists()).collect();
        assert!(missing.is_empty(), "{guide} names {missing:?}");
    }
}

/// A line like `| A-5 | … |`: an identifier of letters, a hyphen and a number in the first cell.
fn is_requirement(row: &str) -> bool {
    let first = row.split('|').nth(1).unwrap_or_default().trim();
    first.split_once('-').is_some_and(|(group, number)| {
        group.chars().all(char::is_alphabetic)
            && number.chars().next().is_some_and(char::is_numeric)
    })
}
