//! What clap says about a wrong command line, in the form of this program's errors.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::error::Error;

/// What `error` says: what is wrong in one line, and as a hint what was probably meant or how the
/// command is used.
pub(crate) fn usage_error(error: &clap::Error) -> Error {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let message = text.split("\n\n").next().unwrap_or_default();
    let usage = || text.lines().find_map(|line| line.strip_prefix("Usage: "));
    let hint = meant(error).map(|meant| format!("did you mean `{meant}`?"));
    let hint = hint.or_else(|| Some(format!("usage: {}", usage()?)));
    Error::Usage { message: message.split_whitespace().collect::<Vec<_>>().join(" "), hint }
}

/// The command, flag or value that was probably meant.
pub(crate) fn meant(error: &clap::Error) -> Option<&str> {
    let suggested =
        [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    match suggested.into_iter().find_map(|kind| error.get(kind))? {
        ContextValue::String(one) => Some(one),
        ContextValue::Strings(several) => several.first().map(String::as_str),
        _ => None,
    }
}

/// The word that is not a command, if that is what is wrong.
pub(crate) fn unknown_command(error: &clap::Error) -> Option<String> {
    (error.kind() == ErrorKind::InvalidSubcommand).then_some(())?;
    error.get(ContextKind::InvalidSubcommand).map(ToString::to_string)
}
