//! A real terminal: tmux, with a screen that tests read and a keyboard that they type on.

use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Command;

use crate::command_line::{CommandLine, binary};

/// Looks at the screen before giving up, and the pause between two of them.
const LOOKS: usize = 400;
const PAUSE: Duration = Duration::from_millis(50);

/// A terminal of 110 columns in which the client runs.
pub struct Terminal {
    socket: String,
    directory: TempDir,
}

impl Terminal {
    /// Starts the client at its prompt.
    pub async fn start(person: &CommandLine) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let socket = directory.path().join("tmux").display().to_string();
        let terminal = Self { socket, directory };
        let mut command = vec![binary().display().to_string()];
        command.extend(person.options());
        let size = ["new-session", "-d", "-x", "110", "-y", "50"].map(str::to_owned);
        terminal.tmux(&[size.to_vec(), vec![command.join(" ")]].concat()).await;
        terminal
    }

    /// Types a line and presses Enter.
    pub async fn type_line(&self, line: &str) {
        self.tmux(&["send-keys", "-l", line].map(str::to_owned)).await;
        self.tmux(&["send-keys", "Enter"].map(str::to_owned)).await;
    }

    /// Presses a key by its name, like `C-c`.
    pub async fn press(&self, key: &str) {
        self.tmux(&["send-keys", key].map(str::to_owned)).await;
    }

    /// Waits until the screen shows `text`; all of the screen, with lines that wrapped joined.
    pub async fn wait_for(&self, text: &str) -> String {
        let mut pause = tokio::time::interval(PAUSE);
        let mut screen = String::new();
        for _ in 0..LOOKS {
            pause.tick().await;
            screen = self.screen().await;
            if screen.contains(text) {
                return screen;
            }
        }
        panic!("{text:?} never came up on the screen:\n{screen}")
    }

    /// The address that the screen shows, which begins with `start`.
    pub fn address_on(&self, screen: &str, start: &str) -> String {
        let start = format!("{start}/authorize?");
        let at = screen.find(&start).expect("an address");
        let address = screen.get(at..).and_then(|rest| rest.split_whitespace().next());
        address.expect("an address").to_owned()
    }

    /// Waits until the client has ended, and with it the terminal.
    pub async fn wait_for_end(&self) {
        let mut pause = tokio::time::interval(PAUSE);
        for _ in 0..LOOKS {
            pause.tick().await;
            let alive = self.command(&["has-session".to_owned()]).output().await.expect("tmux");
            if !alive.status.success() {
                return;
            }
        }
        panic!("the client did not end:\n{}", self.screen().await)
    }

    async fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-J", "-S", "-200"].map(str::to_owned)).await
    }

    async fn tmux(&self, arguments: &[String]) -> String {
        let output = self.command(arguments).output().await.expect("tmux");
        String::from_utf8(output.stdout).expect("text")
    }

    fn command(&self, arguments: &[String]) -> Command {
        let mut command = Command::new("tmux");
        command.args(["-u", "-f", "/dev/null", "-S", &self.socket]).args(arguments);
        command.current_dir(self.directory.path()).env_remove("TMUX").env("TERM", "xterm");
        command
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let server = ["-S", &self.socket, "kill-server"];
        let _ = std::process::Command::new("tmux").args(server).output();
    }
}
