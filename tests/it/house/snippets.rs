//! The lines that put a guard in front of a server are shown as they compile. What docs/guard.md shows
//! is built and run by `tests/it/flows/guide.rs`.

use std::{fs, path::Path};

const FIRST_LINE: &str = "let guard = Guard::new(\"https://mcp.example.com/mcp\"";

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::read_to_string(root.join(path)).unwrap()
}

/// The lines from the first to the end of the block of code.
fn snippet<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let lines = lines.skip_while(|line| !line.starts_with(FIRST_LINE));
    lines.take_while(|line| !line.starts_with("```") && !line.starts_with("# ")).collect()
}

#[test]
fn the_readme_shows_the_guard_as_its_doctest_compiles_it() {
    let documentation = read("guard/src/lib.rs");
    let compiled = snippet(documentation.lines().filter_map(|line| line.strip_prefix("//! ")));
    assert_eq!(compiled.len(), 7, "{compiled:#?}");
    assert_eq!(snippet(read("README.md").lines()), compiled);
}
