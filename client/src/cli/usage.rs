//! What clap says about a wrong command line, in the form of this program's errors.

use clap::error::{ContextKind, ErrorKind};

use crate::error::Error;

/// What `error` says: what is wrong in one line, and as a hint what was probably meant or how the
/// command is used.
pub(crate) fn usage_error(error: &clap::Error) -> Error {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let message = text.split("\n\n").next().unwrap_or_default();
    let mut tips = text.lines().filter_map(|line| line.trim_start().strip_prefix("tip: "));
    let usage = || text.lines().find_map(|line| line.strip_prefix("Usage: "));
    let hint = tips.next().map(str::to_owned);
    let hint = hint.or_else(|| Some(format!("usage: {}", usage()?)));
    Error::Usage { message: message.split_whitespace().collect::<Vec<_>>().join(" "), hint }
}

/// The word that is not a command, if that is what is wrong.
pub(crate) fn unknown_command(error: &clap::Error) -> Option<String> {
    (error.kind() == ErrorKind::InvalidSubcommand).then_some(())?;
    error.get(ContextKind::InvalidSubcommand).map(ToString::to_string)
}
