//! The settings of the audit.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Where calls are written down, and how.
#[derive(Clone, Debug, Args)]
pub struct AuditOptions {
    /// File to which a record of each call is added; no records without it.
    #[arg(long, env = "GATE_AUDIT_FILE", value_name = "FILE")]
    pub(crate) audit_file: Option<PathBuf>,
    /// What happens while records cannot be written, such as on a full disk: calls are refused, or records
    /// are dropped and counted.
    #[arg(long, env = "GATE_AUDIT_ON_FAILURE", default_value = "refuse")]
    pub(crate) audit_on_failure: OnFailure,
    /// What a record says of the arguments of a call.
    #[arg(long, env = "GATE_AUDIT_ARGUMENTS", default_value = "hash")]
    pub(crate) audit_arguments: ArgumentsForm,
}

/// What happens while records cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnFailure {
    /// Calls are refused.
    Refuse,
    /// Records are dropped, and counted in the next one.
    Drop,
}

/// What a record says of the arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ArgumentsForm {
    /// Nothing.
    Off,
    /// Their SHA-256, which tells whether two calls had the same.
    Hash,
    /// All of them, secrets included.
    Full,
}
