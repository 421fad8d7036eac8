//! The exit status of the process.

use std::process::ExitCode;

/// The exit status of the process; scripts rely on these numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Success,
    /// 1: any failure without a number of its own.
    Failure,
    /// 2: the command line, the tool's name or its arguments are wrong.
    Usage,
    /// 3: a server could not be reached.
    Unreachable,
    /// 4: sign-in is needed, was refused or did not succeed.
    SignIn,
    /// 5: the tool ran and reported an error.
    ToolFailed,
    /// 6: signed in, but not allowed to do this.
    Forbidden,
    /// 130: stopped by Ctrl-C.
    Interrupted,
}

impl Exit {
    /// The number the process ends with.
    pub(crate) fn status(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::Unreachable => 3,
            Self::SignIn => 4,
            Self::ToolFailed => 5,
            Self::Forbidden => 6,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.status())
    }
}
