//! What an operator does besides running the gate: accepts tools, and reads the audit.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use clap::{Parser, Subcommand, ValueEnum};
use thiserror::Error;

use crate::{
    audit::{self, AuditError, Query},
    config::Config,
    identity_key::{IdentityKeyError, IdentityKeys},
    rules::{PinnedTools, PinsError},
};

/// The command line of `gate`. Without a command, it runs the gate.
#[derive(Debug, Parser)]
#[command(
    name = "gate",
    version,
    about = "Sign-in in front of any MCP server",
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
pub struct CommandLine {
    /// The settings of the gate.
    #[command(flatten)]
    pub config: Config,
    /// What to do instead of running the gate.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What an operator does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shows and accepts definitions of tools, where `[gate]` says `pin`.
    #[command(subcommand)]
    Tools(Tools),
    /// Verifies and searches the file of the audit.
    #[command(subcommand)]
    Audit(Audit),
    /// Changes the keys that sign identities, in three steps.
    IdentityKey {
        /// The step.
        step: KeyStep,
        /// The file that GATE_IDENTITY_KEY_FILE names.
        file: PathBuf,
    },
}

/// The steps of a change of keys. The gate is restarted after each.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum KeyStep {
    /// Adds a key that is published and does not sign yet.
    Add,
    /// Has the newest key sign, once every server has fetched it.
    Promote,
    /// Removes the keys that do not sign, once what they signed has expired.
    Prune,
}

/// `gate tools`
#[derive(Debug, Subcommand)]
pub enum Tools {
    /// Shows each definition that waits to be accepted, as the server sends it.
    List {
        /// The file that `pins` names.
        pins: PathBuf,
    },
    /// Accepts definitions that wait.
    Accept {
        /// The file that `pins` names.
        pins: PathBuf,
        /// The tools.
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        names: Vec<String>,
        /// Accept all that wait.
        #[arg(long)]
        all: bool,
    },
}

/// `gate audit`
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Checks that no line was changed, removed or added.
    Verify {
        /// The file that GATE_AUDIT_FILE names.
        file: PathBuf,
        /// The hash of the last line at an earlier time, to notice that the end was cut off.
        #[arg(long)]
        head: Option<String>,
    },
    /// Prints the records that fit, one JSON object on each line.
    Query {
        /// The file that GATE_AUDIT_FILE names.
        file: PathBuf,
        /// Which records.
        #[command(flatten)]
        query: Query,
    },
}

/// A command has failed.
#[derive(Debug, Error)]
pub enum CommandError {
    /// The file of accepted tools cannot be used.
    #[error(transparent)]
    Pins(#[from] PinsError),
    /// The file of the audit cannot be used, or was changed.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The file of keys cannot be used.
    #[error(transparent)]
    Key(#[from] IdentityKeyError),
    /// Nothing can be written to the terminal.
    #[error(transparent)]
    Output(#[from] io::Error),
}

impl Command {
    /// Carries it out and writes what it shows to `out`.
    ///
    /// # Errors
    /// [`CommandError`] says why it failed.
    pub fn run(&self, out: &mut impl Write) -> Result<(), CommandError> {
        match self {
            Self::Tools(Tools::List { pins }) => {
                for (name, waiting) in &PinnedTools::load(pins)?.waiting {
                    writeln!(out, "{name}: {:#}", waiting.definition)?;
                }
                Ok(())
            }
            Self::Tools(Tools::Accept { pins, names, all }) => {
                let mut tools = PinnedTools::load(pins)?;
                let waiting: Vec<String> = tools.waiting.keys().cloned().collect();
                let names = if *all { &waiting } else { names };
                names.iter().try_for_each(|name| tools.accept(name))?;
                tools.save(pins)?;
                names.iter().try_for_each(|name| writeln!(out, "accepted {name}"))?;
                Ok(())
            }
            Self::Audit(Audit::Verify { file, head }) => {
                let verified = audit::verify(file, head.as_deref())?;
                writeln!(out, "{} calls, head {}", verified.calls, verified.head)?;
                for line in &verified.torn {
                    writeln!(
                        out,
                        "line {line} was cut short when the gate was killed or the disk full"
                    )?;
                }
                if verified.dropped > 0 {
                    writeln!(out, "{} records could not be written", verified.dropped)?;
                }
                Ok(())
            }
            Self::IdentityKey { step, file } => {
                let keys = IdentityKeys::load(file)?;
                let keys = match step {
                    KeyStep::Add => keys.add(file)?,
                    KeyStep::Promote => keys.promote(file)?,
                    KeyStep::Prune => keys.prune(file)?,
                };
                writeln!(out, "{} signs; restart the gate", keys.current.kid())?;
                Ok(())
            }
            Self::Audit(Audit::Query { file, query }) => Ok(audit::query(file, query, out)?),
        }
    }
}
