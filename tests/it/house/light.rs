//! The guard stays light: it is compiled into other people's servers.

use std::{collections::BTreeSet, process::Command};

/// Most crates of a guard's build, the guard included. rmcp and axum alone are 100.
const MAX_CRATES: usize = 168;
/// What a guard has no use for: command lines, OpenSSL, databases, and features for the sake of
/// other programs.
const UNWANTED: [&str; 7] =
    ["clap", "josekit", "openssl-sys", "sea-orm", "sqlx", "tracing-subscriber", "workspace-hack"];

/// The crates that a build of `portcullis-guard` compiles for others.
fn crates_of_a_guard() -> BTreeSet<String> {
    let arguments = ["--offline", "--locked", "-e", "normal", "--prefix", "none"];
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "-p", "portcullis-guard"]).args(arguments);
    let output = tree.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let named = text.lines().map(|line| line.split(" (").next().unwrap_or_default());
    named.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[test]
fn a_guard_brings_no_command_line_no_openssl_and_no_database() {
    let crates = crates_of_a_guard();
    assert!(crates.iter().any(|name| name.starts_with("rmcp ")), "{crates:?}");
    let unwanted = crates
        .iter()
        .filter(|name| name.split(' ').next().is_some_and(|name| UNWANTED.contains(&name)));
    let unwanted: Vec<_> = unwanted.collect();
    assert!(unwanted.is_empty(), "{unwanted:?}: cargo tree -p portcullis-guard -i <crate>");
    assert!(crates.len() <= MAX_CRATES, "a guard has {} crates", crates.len());
}
