//! The settings of a server that the gate starts itself and talks to over stdin and stdout.

use std::{env, ffi::OsString, path::PathBuf};

use clap::{Args, ValueEnum};

use super::ConfigError;

/// Variables of the gate that every child gets, as MCP's own SDKs choose them.
const INHERITED: [&str; 9] =
    ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "LANG", "TZ", "TMPDIR"];

/// A server that the gate starts itself.
#[derive(Args, Clone, Debug)]
pub struct ChildOptions {
    /// Command of an MCP server that speaks over stdin and stdout.
    #[arg(last = true, value_name = "COMMAND", conflicts_with_all = ["upstream", "forward_auth"])]
    pub command: Vec<String>,
    /// Who shares a child: each session of revisions before 2026-07-28 has its own (per-session), or
    /// all have one (shared). Requests of 2026-07-28 always share one, because they have no session.
    #[arg(long = "child", env = "GATE_CHILD", default_value = "per-session")]
    pub sharing: Sharing,
    /// Names of further environment variables that children get, separated by commas.
    #[arg(long = "child-env", env = "GATE_CHILD_ENV", value_delimiter = ',', value_name = "NAME")]
    pub variables: Vec<String>,
    /// Working directory of children.
    #[arg(long = "child-directory", env = "GATE_CHILD_DIRECTORY", value_name = "DIRECTORY")]
    pub directory: Option<PathBuf>,
    /// Memory that a child may use for data, in MiB (Linux).
    #[arg(long = "child-memory", env = "GATE_CHILD_MEMORY", value_name = "MIB")]
    pub memory: Option<u64>,
    /// Seconds of processor time after which a child is ended (Linux).
    #[arg(long = "child-cpu", env = "GATE_CHILD_CPU", value_name = "SECONDS")]
    pub cpu: Option<u64>,
    /// Seconds without a request or a listening client after which a child is stopped, and its session
    /// ends.
    #[arg(
        long = "child-idle-timeout",
        env = "GATE_CHILD_IDLE_TIMEOUT",
        default_value_t = 600,
        value_name = "SECONDS"
    )]
    pub idle_timeout: i64,
    /// Children that may run at once.
    #[arg(long = "max-children", env = "GATE_MAX_CHILDREN", default_value_t = 64)]
    pub max_children: usize,
}

/// Who shares a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sharing {
    /// Each session has its own.
    PerSession,
    /// All sessions have the same.
    Shared,
}

impl ChildOptions {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if let Some(directory) = self.directory.as_ref().filter(|path| !path.is_dir()) {
            return Err(ConfigError::ChildDirectory(directory.clone()));
        }
        if let Some(name) = self
            .variables
            .iter()
            .find(|name| !env::vars_os().any(|(known, _)| known.to_str() == Some(name)))
        {
            return Err(ConfigError::ChildVariable(name.clone()));
        }
        if cfg!(target_os = "linux") {
            return Ok(());
        }
        let limits = [(self.memory, "memory"), (self.cpu, "processor time")];
        match limits.into_iter().find(|(limit, _)| limit.is_some()) {
            Some((_, name)) => Err(ConfigError::ChildLimit(name)),
            None => Ok(()),
        }
    }

    /// The name of the program.
    pub(super) fn program(&self) -> Option<&str> {
        self.command.first().map(String::as_str)
    }

    /// The variables that a child gets, of those that the gate has.
    pub(crate) fn environment(&self) -> impl Iterator<Item = (OsString, OsString)> {
        env::vars_os().filter(|(name, _)| {
            let name = name.to_str().unwrap_or_default();
            INHERITED.contains(&name)
                || name.starts_with("LC_")
                || self.variables.iter().any(|wanted| wanted == name)
        })
    }
}
