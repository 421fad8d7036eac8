//! Rooms import each other in one direction.
//!
//! A room is a source file together with the folder of its name. What a file names of its own crate
//! ties two rooms: those at which the paths of the two files part. A room and the rooms inside it
//! may name each other. Rooms side by side may not, neither directly nor by way of others: each
//! must be readable with only those in mind that it builds on.

use std::collections::{BTreeMap, BTreeSet};

use super::sources::{Source, members, sources};

const ADVICE: &str = "Rooms go in circles. Move what both sides need into a file of its own beside \
                      them, or hand it over as an argument.";

/// Where a file stands in its crate, such as `["oauth", "scope"]`.
type Module = Vec<String>;
/// Two rooms side by side, the first of which imports the second, and the files that make it so.
type Ties = BTreeMap<(Module, Module), BTreeSet<String>>;

#[test]
fn rooms_import_each_other_in_one_direction() {
    let sources = sources();
    let mut found = Vec::new();
    let folders = members().into_iter().map(|name| format!("{name}/src"));
    for folder in folders.chain(["tests/it".to_owned()]) {
        let known = sources.iter().any(|source| source.path.starts_with(&folder));
        assert!(known, "{folder} has no sources");
        found.extend(
            circles(&files(&folder, &sources)).iter().map(|circle| format!("{folder}: {circle}")),
        );
    }
    assert!(found.is_empty(), "{ADVICE}\n{}", found.join("\n"));
}

/// The files of a crate but for its tests and its root, which may name everything.
fn files(folder: &str, sources: &[Source]) -> BTreeMap<Module, String> {
    let modules = sources.iter().filter_map(|source| {
        let path = source.path.strip_prefix(folder)?.strip_prefix('/')?.strip_suffix(".rs")?;
        let module: Module = path.split('/').map(str::to_owned).collect();
        let is_apart = module.iter().any(|part| ["lib", "main", "tests"].contains(&part.as_str()));
        let code = source.text.split("#[cfg(test)]\nmod ").next()?;
        let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        (!is_apart).then(|| (module, code.collect::<Vec<_>>().join("\n")))
    });
    modules.collect()
}

/// One line for each file that ties a circle: the circle, and whom the file names.
fn circles(files: &BTreeMap<Module, String>) -> Vec<String> {
    let ties = ties(files);
    let mut lines = Vec::new();
    for ((from, to), tied_by) in &ties {
        let Some(back) = way(&ties, to, from) else { continue };
        let circle: Vec<_> = [from].into_iter().chain(&back).map(|room| room.join("/")).collect();
        lines.extend(tied_by.iter().map(|tie| format!("{}: {tie}", circle.join(" → "))));
    }
    lines
}

fn ties(files: &BTreeMap<Module, String>) -> Ties {
    let mut ties = Ties::new();
    for (from, code) in files {
        for path in named(from, code) {
            let lengths = (1..=path.len()).rev();
            let known = lengths.map(|length| &path[..length]).find(|it| files.contains_key(*it));
            let Some(to) = known else { continue };
            let shared = from.iter().zip(to).take_while(|(one, other)| one == other).count();
            if shared < from.len() && shared < to.len() {
                let rooms = (from[..=shared].to_vec(), to[..=shared].to_vec());
                let tie = format!("{}.rs names {}", from.join("/"), path.join("::"));
                ties.entry(rooms).or_default().insert(tie);
            }
        }
    }
    ties
}

/// The shortest way by ties from one room to another, both of them included.
fn way(ties: &Ties, from: &Module, to: &Module) -> Option<Vec<Module>> {
    let mut ways = vec![vec![from.clone()]];
    let mut seen = BTreeSet::from([from]);
    while !ways.is_empty() {
        if let Some(found) = ways.iter().find(|way| way.last() == Some(to)) {
            return Some(found.clone());
        }
        let mut longer = Vec::new();
        for way in &ways {
            for (_, next) in ties.keys().filter(|(room, _)| way.last() == Some(room)) {
                if seen.insert(next) {
                    longer.push([&way[..], std::slice::from_ref(next)].concat());
                }
            }
        }
        ways = longer;
    }
    None
}

/// Every path into its own crate that a file names, be it in a `use` or elsewhere.
fn named(module: &[String], code: &str) -> Vec<Module> {
    let mut found = Vec::new();
    let starts = ["crate::", "super::", "self::"].into_iter();
    for (at, start) in starts.flat_map(|start| code.match_indices(start)) {
        let before = code[..at].chars().next_back().unwrap_or(' ');
        if before.is_alphanumeric() || ['_', ':'].contains(&before) {
            continue;
        }
        let base = if start == "crate::" { Module::new() } else { module.to_vec() };
        let rest = if start == "super::" { at } else { at + start.len() };
        read(&code[rest..], base, &mut found);
    }
    found
}

/// Reads a path, or a tree of paths such as `scope::{self, Scope}`, into `found`; the code behind
/// it.
fn read<'a>(mut code: &'a str, mut path: Module, found: &mut Vec<Module>) -> &'a str {
    loop {
        code = code.trim_start();
        if code.starts_with('}') {
            return code;
        }
        if let Some(mut branches) = code.strip_prefix('{') {
            loop {
                let behind = read(branches, path.clone(), found);
                // A branch may end in `as Name`, or be `*`.
                let Some(end) = behind.find([',', '}']) else { return "" };
                branches = &behind[end + 1..];
                if behind[end..].starts_with('}') {
                    return branches;
                }
            }
        }
        let is_end = |character: char| !character.is_alphanumeric() && character != '_';
        let (name, behind) = code.split_at(code.find(is_end).unwrap_or(code.len()));
        match name {
            "super" => drop(path.pop()),
            "self" | "" => {}
            name => path.push(name.to_owned()),
        }
        match behind.strip_prefix("::") {
            Some(further) => code = further,
            None => {
                found.push(path);
                return behind;
            }
        }
    }
}

#[test]
fn a_circle_is_named_with_the_files_that_tie_it() {
    let files = |texts: &[(&str, &str)]| {
        let module = |path: &str| path.split('/').map(str::to_owned).collect();
        texts.iter().map(|(path, code)| (module(path), (*code).to_owned())).collect()
    };
    let tidy = [
        ("consent", "use self::answer::Answer;"),
        ("consent/answer", "use super::{Page, Form as _};\nuse crate::{consent, form::*,};"),
        ("form", "pub(super) fn hidden() {}"),
    ];
    assert_eq!(circles(&files(&tidy)), [""; 0]);
    let tangled = [
        ("consent", "use self::answer::Answer;"),
        ("consent/answer", "use crate::{date, form::{self, hidden}};"),
        ("date", "fn date() -> String { super::text::of() }"),
        ("form", ""),
        ("text", "use crate::{\n    form::hidden,\n    consent::Page,\n};"),
    ];
    let expected = [
        "consent → date → text → consent: consent/answer.rs names date",
        "date → text → consent → date: date.rs names text::of",
        "text → consent → date → text: text.rs names consent::Page",
    ];
    assert_eq!(circles(&files(&tangled)), expected);
}
