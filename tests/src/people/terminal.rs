//! A real terminal: tmux with a shell in it, a screen that is read and a keyboard that is typed on.

use std::{ffi::OsString, path::Path, time::Duration};

use tempfile::TempDir;
use tokio::process::Command;

use crate::{people::screen::Screen, stack::program, waiting::looks};

/// How wide it is, in characters.
pub const COLUMNS: usize = 100;
const ROWS: &str = "60";
/// Looks at the screen before giving up, and the pause between two of them.
const LOOKS: usize = 1200;
const PAUSE: Duration = Duration::from_millis(25);

pub struct Terminal {
    socket: String,
    directory: TempDir,
}

impl Terminal {
    /// Starts a shell that finds `client`. Its user uses `server`, and keeps everything in a
    /// directory of this terminal. An address that is opened in the browser is written to a file
    /// instead ([`Terminal::opened`]).
    pub async fn start(server: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let socket = directory.path().join("tmux").display().to_string();
        let terminal = Self { socket, directory };
        let browser = terminal.home().join("browser");
        let script = "#!/bin/sh\nprintf '%s\\n' \"$1\" >> \"$HOME/opened\"\n";
        write_program(&browser, script);
        let mut shell = terminal.command(&["new-session", "-d", "-x"]);
        shell.args([&COLUMNS.to_string(), "-y", ROWS, "bash", "--norc", "--noprofile"]);
        for name in ["NO_COLOR", "ENV", "XDG_STATE_HOME", "PORTCULLIS_STATE_DIR"] {
            shell.env_remove(name);
        }
        shell.env("HOME", terminal.home()).env("PATH", search_path()).env("PS1", "$ ");
        shell
            .env("PORTCULLIS_CREDENTIALS_STORE", "file")
            .env("LC_ALL", "C.UTF-8")
            .env("BROWSER", browser)
            .env("PORTCULLIS_SERVER", server);
        let started = shell.status().await.expect("tmux");
        assert!(started.success(), "tmux did not start");
        terminal
    }

    pub fn home(&self) -> &Path {
        self.directory.path()
    }

    /// Types without pressing Enter.
    pub async fn type_text(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]).await;
    }

    /// Types a line and presses Enter.
    pub async fn type_line(&self, line: &str) {
        self.type_text(line).await;
        self.press("Enter").await;
    }

    /// Presses a key by its name, like `C-c`.
    pub async fn press(&self, key: &str) {
        self.tmux(&["send-keys", key]).await;
    }

    /// Pastes, which a program is told if it has asked for that (bracketed paste).
    pub async fn paste(&self, text: &str) {
        self.tmux(&["set-buffer", "--", text]).await;
        self.tmux(&["paste-buffer", "-p", "-r"]).await;
    }

    /// Waits until the screen shows all of `texts`.
    pub async fn wait_for(&self, texts: &[&str]) -> Screen {
        self.wait_for_end(texts, "").await
    }

    /// Waits until the screen shows all of `texts`, ends with `end`, and has come to rest.
    pub async fn wait_for_end(&self, texts: &[&str], end: &str) -> Screen {
        let mut pause = looks(PAUSE);
        let mut before = Screen::default();
        for _ in 0..LOOKS {
            pause.tick().await;
            let screen = self.screen().await;
            let text = screen.text();
            let is_there = text.trim_end().ends_with(end);
            if is_there && screen == before && texts.iter().all(|wanted| text.contains(wanted)) {
                return screen;
            }
            before = screen;
        }
        panic!("{texts:?} and {end:?} never came up on the screen:\n{}", before.text())
    }

    /// Waits until nothing but the shell's prompt is on the screen.
    pub async fn wait_for_empty(&self) -> Screen {
        let mut pause = looks(PAUSE);
        let mut screen = Screen::default();
        for _ in 0..LOOKS {
            pause.tick().await;
            screen = self.screen().await;
            if screen.text() == "$\n" {
                return screen;
            }
        }
        panic!("the screen was never empty:\n{}", screen.text())
    }

    /// Waits until the browser was given its `number`th address, counted from one.
    pub async fn opened(&self, number: usize) -> String {
        let mut pause = looks(PAUSE);
        for _ in 0..LOOKS {
            pause.tick().await;
            if let Some(address) = self.all_opened().get(number - 1) {
                return address.clone();
            }
        }
        panic!("no browser was opened:\n{}", self.screen().await.text())
    }

    /// Every address that the browser was given until now.
    pub fn all_opened(&self) -> Vec<String> {
        let opened = std::fs::read_to_string(self.home().join("opened")).unwrap_or_default();
        opened
            .split_inclusive('\n')
            .filter_map(|line| line.strip_suffix('\n'))
            .map(str::to_owned)
            .collect()
    }

    /// The screen and what has scrolled off it; lines that wrapped are joined.
    async fn screen(&self) -> Screen {
        Screen::read(&self.tmux(&["capture-pane", "-p", "-e", "-J", "-S", "-"]).await)
    }

    async fn tmux(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().await.expect("tmux");
        assert!(output.status.success(), "tmux {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("tmux");
        command.args(["-u", "-f", "/dev/null", "-S", &self.socket]).args(arguments);
        command.current_dir(self.home()).env_remove("TMUX").env("TERM", "xterm-256color");
        command
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let server = ["-S", &self.socket, "kill-server"];
        let _ = std::process::Command::new("tmux").args(server).output();
    }
}

fn write_program(path: &Path, script: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, script).expect("a script");
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o700)).expect("a program");
}

/// `PATH`, with the folder of the client first.
#[expect(clippy::disallowed_methods, reason = "the shell needs the rest of the path")]
fn search_path() -> OsString {
    let folder = program("client").parent().expect("a folder").to_owned();
    let rest = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths([folder].into_iter().chain(std::env::split_paths(&rest))).expect("a path")
}
