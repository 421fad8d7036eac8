//! The log of a server program, and its exit status.

use std::{
    error::Error,
    io::{self, IsTerminal},
    process::ExitCode,
};

use tracing_subscriber::EnvFilter;

/// Logs to stderr what `filter` lets pass, as `level` or `module=level,…`.
pub fn begin(filter: &str) {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        // Where stderr is a file on a full disk, to complain about that on stderr would panic.
        .log_internal_errors(false)
        .init();
}

/// The exit status of a server that has stopped. If it failed, the log says why.
pub fn exit_code(outcome: Result<(), Box<dyn Error>>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}
