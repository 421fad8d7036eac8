//! A small disk for the database of a running `auth`: it fills up, refuses writes, and has space
//! again.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Stdio,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use super::seeded::Seeded;

/// Mounts a file system of 12 MiB at `$1` and keeps its namespace until stdin is closed.
const MOUNT: &str = r#"mount -t tmpfs -o size=12m none "$1" && echo ready && read -r _"#;
/// A limit on file sizes kills a program, unless it ignores the signal: then its write fails.
const IGNORE_SIGNAL: &str = r#"trap "" XFSZ; exec "$@""#;
/// What a fill leaves at most, in bytes: a few sign-ins.
const MAX_LEFT: usize = 60_000;

/// How writes fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No space is left (ENOSPC), which SQLite reports as SQLITE_FULL. The disk is a tmpfs in a
    /// mount namespace of its own.
    NoSpace,
    /// No file may grow beyond a limit (EFBIG), which SQLite reports as an I/O error. The disk is
    /// any directory.
    FileTooLarge,
}

/// A disk that can be filled.
pub struct SmallDisk {
    failure: Failure,
    directory: TempDir,
    /// Keeps the mount namespace.
    holder: Option<Child>,
}

impl SmallDisk {
    pub async fn new(failure: Failure) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let holder = match failure {
            Failure::NoSpace => Some(mount(directory.path()).await),
            Failure::FileTooLarge => None,
        };
        Self { failure, directory, holder }
    }

    /// Where it is, as programs of [`Self::command`] see it.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Runs a program that sees the disk.
    pub fn command(&self, program: &Path) -> Command {
        match &self.holder {
            Some(holder) => {
                let mut command = Command::new("nsenter");
                let namespace = format!("--mount=/proc/{}/ns/mnt", id(holder));
                command.arg(namespace).arg("--").arg(program);
                command
            }
            None => {
                let mut command = Command::new("sh");
                command.args(["-c", IGNORE_SIGNAL, "sh"]).arg(program);
                command
            }
        }
    }

    /// Leaves little space or none to `program`.
    pub async fn fill(&self, program: &Child, random: &mut Seeded) {
        let left = if random.below(2) == 0 { 0 } else { random.below(MAX_LEFT) };
        match self.failure {
            Failure::NoSpace => {
                let mut ballast = File::create(self.ballast()).expect("a file");
                let block = vec![0; 4096];
                while ballast.write_all(&block).is_ok() {}
                let size = ballast.metadata().expect("a size").len();
                ballast.set_len(size.saturating_sub(left as u64)).expect("less");
            }
            Failure::FileTooLarge => {
                let log = self.path().join("auth.db-wal");
                let size = fs::metadata(log).map_or(0, |log| log.len() as usize);
                let limit = if left == 0 { 0 } else { size + left };
                limit_files(program, &limit.to_string()).await;
            }
        }
    }

    /// Leaves `program` all the space there is.
    pub async fn clear(&self, program: &Child) {
        match self.failure {
            Failure::NoSpace => fs::remove_file(self.ballast()).expect("a file to remove"),
            Failure::FileTooLarge => limit_files(program, "unlimited").await,
        }
    }

    /// Takes up space. Seen from outside the namespace.
    fn ballast(&self) -> PathBuf {
        let inside = self.path().strip_prefix("/").expect("an absolute path");
        let root = self.holder.as_ref().map(|holder| format!("/proc/{}/root", id(holder)));
        Path::new(&root.unwrap_or_else(|| "/".into())).join(inside).join("ballast")
    }
}

fn id(child: &Child) -> u32 {
    child.id().expect("a running process")
}

async fn mount(directory: &Path) -> Child {
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", MOUNT, "sh"]).arg(directory);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut holder = command.spawn().expect("unshare");
    let mut line = String::new();
    let output = holder.stdout.take().expect("the shell's output");
    BufReader::new(output).read_line(&mut line).await.expect("the shell's output");
    assert_eq!(line.trim(), "ready", "no file system can be mounted; it takes root");
    holder
}

/// Sets how large the files may grow that a running program writes. The hard limit stays as it is,
/// so that the limit can be lifted again.
async fn limit_files(program: &Child, bytes: &str) {
    let pid = id(program).to_string();
    let limit = format!("--fsize={bytes}:");
    let status = Command::new("prlimit").args(["--pid", &pid, &limit]).status().await;
    assert!(status.expect("prlimit").success(), "the limit cannot be set");
}
