//! Reads the sources that the rules of the house are about.

use std::{
    fs,
    path::{Path, PathBuf},
};

pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The crates of the workspace, each named by its folder.
pub(crate) fn members() -> Vec<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let list = manifest.split("members = [").nth(1).unwrap().split(']').next().unwrap();
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

pub(crate) fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    for name in members() {
        collect(&root().join(name), "rs", &mut sources);
    }
    assert!(sources.len() > 50, "the sources were not found");
    sources
}

/// The documents for people: the guides at the root, and `docs`.
pub(crate) fn documents() -> Vec<Source> {
    let mut documents = Vec::new();
    for name in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"] {
        let text = fs::read_to_string(root().join(name)).unwrap();
        documents.push(Source { path: name.to_owned(), text });
    }
    collect(&root().join("docs"), "md", &mut documents);
    documents
}

fn collect(directory: &Path, ending: &str, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, ending, sources);
        } else if path.extension().is_some_and(|extension| extension == ending) {
            let shown = path.strip_prefix(root()).unwrap().display().to_string();
            sources.push(Source { path: shown, text: fs::read_to_string(&path).unwrap() });
        }
    }
}

pub(crate) fn offenders(breaks_the_rule: impl Fn(&Source) -> bool) -> Vec<String> {
    sources().into_iter().filter(breaks_the_rule).map(|source| source.path).collect()
}

/// The file without its inline tests.
pub(crate) fn code(source: &Source) -> &str {
    source.text.split("#[cfg(test)]").next().unwrap_or_default()
}
