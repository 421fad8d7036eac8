//! PostgreSQL for tests: one private cluster for the whole run, a fresh database for each test.
//!
//! The cluster lives in a directory of its own and is reached by its socket there, so it meets no
//! other server of the machine. A shell keeps watch over it: when the tests end, however they end,
//! the pipe to that shell closes, and it stops the server and removes the directory. `fsync` is
//! off: tests kill programs, never the machine.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::PathBuf,
    process::{Command, Stdio},
    sync::OnceLock,
};

use sea_orm::{ConnectionTrait, Database};
use uuid::Uuid;

/// PostgreSQL does not run as root; there, it runs as the user and group `nobody`.
const NOBODY: u32 = 65534;

/// `$1` is the directory. The programs are where `initdb` is: in the path, or where Debian puts
/// them.
const WATCH: &str = r#"
trap '' INT TERM
cd "$1"
export LC_ALL=C
initdb=$(command -v initdb || ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null | tail -n 1)
programs=$(dirname "$(readlink -f "$initdb")")
"$programs/initdb" --pgdata=data --username=postgres --auth=trust --no-sync >log 2>&1 &&
"$programs/pg_ctl" --pgdata=data --log=log --wait --silent start --options="-c listen_addresses='' \
    -c unix_socket_directories='$1' -c max_connections=500 -c fsync=off -c shared_buffers=64MB" &&
echo ready || tail -n 3 log
read -r _
"$programs/pg_ctl" --pgdata=data --mode=immediate --silent stop
rm -rf "$1"
"#;

/// The URL of a fresh, empty database.
pub async fn database() -> String {
    static CLUSTER: OnceLock<PathBuf> = OnceLock::new();
    let cluster = CLUSTER.get_or_init(start);
    let url =
        |name: &str| format!("postgres://postgres@localhost/{name}?host={}", cluster.display());
    let name = format!("test_{}", Uuid::new_v4().simple());
    let connection = Database::connect(url("postgres")).await.expect("the cluster");
    let create = format!("CREATE DATABASE {name}");
    connection.execute_unprepared(&create).await.expect("a fresh database");
    connection.close().await.expect("an end");
    url(&name)
}

/// Starts the cluster and gives the directory of its socket.
fn start() -> PathBuf {
    let directory = tempfile::tempdir().expect("a directory").keep();
    let mut watch = Command::new("sh");
    watch.args(["-c", WATCH, "sh"]).arg(&directory);
    if fs::metadata(&directory).expect("a directory").uid() == 0 {
        chown(&directory, Some(NOBODY), Some(NOBODY)).expect("a directory of another user");
        watch.uid(NOBODY).gid(NOBODY);
    }
    let mut watch = watch
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .expect("a shell");
    let mut answer = String::new();
    let stdout = watch.stdout.take().expect("the shell's answer");
    BufReader::new(stdout).read_line(&mut answer).expect("the shell's answer");
    assert_eq!(
        answer.trim(),
        "ready",
        "PostgreSQL does not start; is it installed? Run scripts/prepare-tests"
    );
    // The pipe must stay open as long as this process lives.
    std::mem::forget(watch);
    directory
}
