//! Rules for the tests themselves: none waits for time to pass, none is ignored, a name says whether
//! its test needs PostgreSQL, and those of `make quick` start no program.

use std::{collections::BTreeSet, fs};

use super::sources::{offenders, root, sources};

/// Rooms of `tests/it` that `make quick` runs, as the Makefile names them.
const ROOMS: [&str; 4] = ["endpoints", "guard", "house", "rules"];
/// The one file that may wait, and says what for.
const WAITING: &str = "tests/src/waiting.rs";
const WAITS: [&str; 4] = ["sleep(", "sleep_until(", "interval(", "interval_at("];
/// What a function that needs PostgreSQL names.
const OTHER_ENGINE: [&str; 3] = ["Engine::ALL", "Engine::Postgres", "postgres::"];
/// `make quick` skips the tests that have this word in their names.
const SKIPPED: &str = "engine";
/// What a test names to start a program.
const STARTERS: [&str; 7] = [
    "CommandLine",
    "Chromium",
    "Command::new",
    "Terminal",
    "operator::run",
    "program(",
    "torture::",
];

#[test]
fn no_test_waits_for_time_to_pass_or_is_ignored() {
    let lazy = offenders(|source| {
        source.path.starts_with("tests/")
            && source.path != WAITING
            && !source.path.starts_with("tests/it/house")
            && WAITS.iter().chain(&["#[ignore"]).any(|word| source.text.contains(word))
    });
    assert!(lazy.is_empty(), "use an event, or {WAITING}: {lazy:?}");
    let lazy = offenders(|source| {
        source.path.starts_with("tests/it")
            && !source.path.starts_with("tests/it/house")
            && source.text.contains("waiting::")
    });
    assert!(lazy.is_empty(), "only the harness waits, for programs that cannot tell: {lazy:?}");
}

#[test]
fn make_quick_runs_rooms_that_start_no_program_and_builds_none() {
    let slow = offenders(|source| {
        let path = source.path.strip_prefix("tests/it/").unwrap_or_default();
        let room = path.split(['/', '.']).next().unwrap_or_default();
        room != "house"
            && ROOMS.contains(&room)
            && STARTERS.iter().any(|word| source.text.contains(word))
    });
    assert!(slow.is_empty(), "use operator::carry_out, or move to another room: {slow:?}");
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    let rooms = ROOMS.map(|room| format!("{room}::")).join(" ");
    assert!(makefile.contains(&format!("QUICK := {rooms}\n")), "the Makefile has other rooms");
    let programs = root().join("tests/src/bin");
    assert!(!programs.exists(), "cargo builds these before every test: use tests/examples");
}

/// A function at the top of a file.
struct Function<'a> {
    name: &'a str,
    is_test: bool,
    body: &'a str,
}

fn functions(text: &str) -> Vec<Function<'_>> {
    let mut functions = Vec::new();
    for (at, _) in text.match_indices("fn ") {
        let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let before = text[start..at].trim_end();
        if !["", "async", "pub(crate)", "pub(crate) async"].contains(&before)
            || text[start..].starts_with(' ')
        {
            continue;
        }
        let rest = &text[at + 3..];
        let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
        let body = rest.split("\n}\n").next().unwrap();
        let attribute = text[..start].trim_end().rsplit('\n').next().unwrap_or_default();
        let is_test = attribute.starts_with("#[test") || attribute.starts_with("#[tokio::test");
        functions.push(Function { name, is_test, body });
    }
    functions
}

#[test]
fn a_test_that_needs_postgresql_says_so_in_its_name() {
    let mut silent = Vec::new();
    let mut number = 0;
    for source in sources().iter().filter(|source| source.path.starts_with("tests/it/")) {
        if source.path.starts_with("tests/it/house") {
            continue;
        }
        let functions = functions(&source.text);
        let mut needing: BTreeSet<&str> = BTreeSet::new();
        // Once more, for functions that call those that need it, until no other is found.
        loop {
            let calls = |body: &str| needing.iter().any(|name| body.contains(&format!("{name}(")));
            let more: Vec<&str> = functions
                .iter()
                .filter(|it| {
                    OTHER_ENGINE.iter().any(|word| it.body.contains(word)) || calls(it.body)
                })
                .map(|it| it.name)
                .filter(|name| !needing.contains(name))
                .collect();
            if more.is_empty() {
                break;
            }
            needing.extend(more);
        }
        for test in functions.iter().filter(|it| it.is_test && needing.contains(it.name)) {
            number += 1;
            if !test.name.contains(SKIPPED) && !source.path.contains(SKIPPED) {
                silent.push(format!("{}: {}", source.path, test.name));
            }
        }
    }
    assert!(number > 30, "only {number} were found");
    assert!(silent.is_empty(), "add …_on_either_engine or …_on_the_postgresql_engine: {silent:#?}");
}
