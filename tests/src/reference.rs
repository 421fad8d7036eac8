//! The pages of docs/reference, made of what the sources say.

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

const SETTINGS: &str = "\
# Settings

Options and environment variables, with their defaults. An option has the name of its variable without the prefix, in lower
case and with hyphens: `AUTH_LISTEN` is `--listen`. Lists and tables are in [portcullis.toml](../configuration.md). This page is made
of [.env.example](../../.env.example) by `make reference`, and a test compares it.
";
const ENDPOINTS: &str = "\
# Endpoints

What `auth` serves. The guard and the gate serve the MCP endpoint and the metadata of the resource: [The guard](../guard.md). This
page is made of the sources by `make reference`, and a test compares it.

| endpoint | what it does |
|---|---|
";

/// The pages: each by its path in the repository, with its content.
pub fn pages() -> [(PathBuf, String); 2] {
    [
        (repository().join("docs/reference/settings.md"), settings()),
        (repository().join("docs/reference/endpoints.md"), endpoints()),
    ]
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace")
}

/// One table for each program.
fn settings() -> String {
    let source = fs::read_to_string(repository().join(".env.example")).expect("the settings");
    let mut page = SETTINGS.to_owned();
    let mut comment = Vec::new();
    for line in source.lines() {
        let words = line.strip_prefix("# ").unwrap_or_default();
        if let Some(heading) = words.strip_prefix("--- ") {
            let heading = heading.trim_end_matches(" ---");
            write!(page, "\n## {heading}\n\n| setting | default | meaning |\n|---|---|---|\n")
                .expect("written");
            comment.clear();
        } else if let Some((name, default)) = setting(words) {
            let default = if default.is_empty() { String::new() } else { format!("`{default}`") };
            let meaning = comment.join(" ").replace('|', "\\|");
            writeln!(page, "| `{name}` | {default} | {meaning} |").expect("written");
            comment.clear();
        } else if words.is_empty() {
            comment.clear();
        } else {
            comment.push(words);
        }
    }
    page
}

/// The name and the default of a setting.
fn setting(line: &str) -> Option<(&str, &str)> {
    let (name, default) = line.split_once('=')?;
    let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    (!name.is_empty() && name.chars().all(is_name)).then_some((name, default))
}

fn endpoints() -> String {
    let mut files = Vec::new();
    collect(&repository().join("auth/src/endpoints"), &mut files);
    let mut rows: Vec<_> = files.iter().filter_map(|file| endpoint(file)).collect();
    rows.sort();
    let rows = rows.into_iter().map(|(names, meaning)| format!("| {names} | {meaning} |\n"));
    ENDPOINTS.to_owned() + &rows.collect::<String>()
}

/// What a file serves, and the sentences below that.
fn endpoint(file: &Path) -> Option<(String, String)> {
    let source = fs::read_to_string(file).expect("a source");
    let mut lines = source.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim);
    let names =
        lines.next().filter(|line| ["`GET", "`POST"].iter().any(|it| line.starts_with(it)))?;
    let meaning: Vec<_> = lines.skip(1).take_while(|line| !line.is_empty()).collect();
    Some((names.replace('|', "\\|"), meaning.join(" ").replace('|', "\\|")))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
