//! The exit status of the process.

use std::process::ExitCode;

/// The exit status of the process; scripts rely on these numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Success = 0,
    /// Any failure without a number of its own.
    Failure = 1,
    /// The command line, the tool's name or its arguments are wrong.
    Usage = 2,
    /// A server could not be reached.
    Unreachable = 3,
    /// Sign-in is needed, was refused or did not succeed.
    SignIn = 4,
    /// The tool ran and reported an error.
    ToolFailed = 5,
    /// Signed in, but not allowed to do this.
    Forbidden = 6,
    /// Stopped by Ctrl-C.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
