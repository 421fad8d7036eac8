//! Opens an address in the user's browser, without a shell.

use std::{
    io,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
};

use tokio::process::Command;
use url::Url;

use crate::http::is_safe_to_open;

const DESKTOP_OPENER: &str = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };

/// What happens to an address that the user should open.
#[derive(Clone)]
pub enum Browser {
    /// It is opened with this program, or with the desktop's own.
    Open(Option<PathBuf>),
    /// It is handed to the program that uses this client as a library.
    BuiltIn(Arc<dyn Fn(&Url) + Send + Sync>),
    /// It is only printed.
    Print,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum BrowserError {
    /// The address could mean more than an address to some program.
    #[error("the address has characters or a scheme that no sign-in address needs")]
    Refused,
    #[error("{program} did not start: {reason}")]
    NotStarted { program: String, reason: io::Error },
}

impl Browser {
    /// Has `url` opened. Without an error, none was to be opened.
    pub(crate) fn open(&self, url: &Url) -> Result<(), Option<BrowserError>> {
        match self {
            Self::Open(program) => open(program.as_deref(), url).map_err(Some),
            Self::BuiltIn(open) => {
                open(url);
                Ok(())
            }
            Self::Print => Err(None),
        }
    }
}

/// Opens `url` with `program`, or with the desktop's own program, and does not wait for it.
pub(crate) fn open(program: Option<&Path>, url: &Url) -> Result<(), BrowserError> {
    if !is_safe_to_open(url) {
        return Err(BrowserError::Refused);
    }
    let program = program.unwrap_or(Path::new(DESKTOP_OPENER));
    let started = Command::new(program)
        .arg(url.as_str())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C in this terminal must not close the browser.
        .process_group(0)
        .spawn();
    started.map(drop).map_err(|reason| {
        let program = program.display().to_string();
        BrowserError::NotStarted { program, reason }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_opener_gets_the_address_as_its_only_argument_and_no_shell_reads_it() {
        use std::os::unix::fs::PermissionsExt as _;

        let home = tempfile::tempdir().expect("a directory");
        let (opener, told) = (home.path().join("an opener %s"), home.path().join("told"));
        // A pipe passes what is written to it to the process at the other end.
        let made = Command::new("mkfifo").arg(&told).status().await.expect("mkfifo");
        assert!(made.success());
        let script = format!("#!/bin/sh\nprintf '%s|' \"$#\" \"$@\" > '{}'\n", told.display());
        std::fs::write(&opener, script).expect("written");
        std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o700)).expect("set");
        let url = Url::parse("https://as.example/authorize?a=b&c=d%20e").expect("a URL");
        open(Some(&opener), &url).expect("started");
        let heard = tokio::fs::read_to_string(&told).await.expect("what it was told");
        assert_eq!(heard, format!("1|{url}|"));
        assert!(matches!(
            open(Some(Path::new("no such %s")), &url),
            Err(BrowserError::NotStarted { .. })
        ));
    }
}
