//! The project that docs/guard.md tells a reader to write: its files as they are shown, built outside the
//! workspace.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

const GUIDE: &str = "docs/guard.md";
/// Where the guide says that the repository is, as seen from the project.
const REPOSITORY: &str = "../portcullis/";
/// The profile of the workspace, so that crates which it has built are not built again.
const PROFILE: [&str; 4] = [
    "--config",
    "profile.dev.debug=\"line-tables-only\"",
    "--config",
    "profile.dev.package.\"*\".debug=false",
];

/// The project of the guide.
pub struct Guide {
    /// Each file by the path that the guide gives it; what is shown later is added to its end.
    files: BTreeMap<String, String>,
    folder: TempDir,
}

impl Guide {
    /// Reads the guide.
    pub fn read() -> Self {
        let text = fs::read_to_string(repository().join(GUIDE)).expect("the guide");
        let folder = tempfile::tempdir().expect("a directory");
        Self { files: shown_files(&text), folder }
    }

    /// What the guide shows of a file.
    pub fn file(&self, path: &str) -> &str {
        self.files.get(path).unwrap_or_else(|| panic!("the guide shows no {path}"))
    }

    /// Builds the programs of the project with the versions of this workspace. The folder with them.
    pub fn build(&self) -> PathBuf {
        for (path, content) in &self.files {
            let file = self.folder.path().join(path);
            fs::create_dir_all(file.parent().expect("a folder")).expect("folders");
            let here = format!("{}/", repository().display());
            fs::write(file, content.replace(REPOSITORY, &here)).expect("a file");
        }
        let project = self.folder.path().join("notes");
        fs::copy(repository().join("Cargo.lock"), project.join("Cargo.lock")).expect("a lock file");
        let own = std::env::current_exe().expect("the path of this program");
        let target = own.ancestors().nth(3).expect("a target folder");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--offline", "--bins"]).args(PROFILE);
        // What the build scripts of dependencies read must be as it was, or they run again.
        let settings = repository().join(".cargo/config.toml");
        if settings.exists() {
            cargo.arg("--config").arg(settings);
        }
        cargo.current_dir(&project).env("CARGO_TARGET_DIR", target);
        let output = cargo.output().expect("cargo");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        target.join("debug")
    }
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace")
}

/// Every block of code whose line before it ends in the name of its file and a colon.
fn shown_files(guide: &str) -> BTreeMap<String, String> {
    let mut files = BTreeMap::<String, String>::new();
    let mut named = None;
    let mut lines = guide.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            if let Some(path) = named.take() {
                let file = files.entry(path).or_default();
                file.push_str(&format!("{}\n", block.join("\n")));
            }
        } else if !line.is_empty() {
            named =
                line.strip_suffix("`:").and_then(|line| line.rsplit('`').next()).map(str::to_owned);
        }
    }
    files
}
