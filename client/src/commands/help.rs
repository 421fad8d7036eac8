//! `help` at the prompt: how to use it, or what one command or tool does.

use crate::{
    cli::line::{command_help, commands},
    commands::tools,
    error::Error,
    session::client::Client,
};

const GRAMMAR: &str = "\
Type the name of a tool and what it should get:

  echo ping pong               everything after the name, for a tool that needs one text
  echo message=\"ping pong\"     an argument by name; quotes hold words together
  search tags=a,b limit=5      lists, numbers and yes/no as the tool declares them
  search filter:={\"tag\":\"a\"}   any value, as JSON
  book_table                   nothing: you are asked for each argument, Enter skips what may be
                               left out, Esc calls nothing

Tab completes. Up and Ctrl-R bring back earlier lines; a line that begins with a space or names a
password or token is not written to the history. Ctrl-A, Ctrl-E, Ctrl-K, Ctrl-U and Ctrl-W edit as
in a shell, Esc clears the line. Ctrl-C stops what is running, Ctrl-D or `quit` leaves.

Commands, as on the command line; `help NAME` explains one of them, or a tool:
";

/// Prints how the prompt is used, or what the command or tool `about` does.
pub(crate) async fn run(client: &mut Client, about: Option<&str>) -> Result<(), Error> {
    let Some(name) = about else {
        let commands =
            commands().into_iter().map(|one| format!("\n  {:<11} {}", one.name, one.about));
        return Ok(client.output.data(&format!("{GRAMMAR}{}", commands.collect::<String>()))?);
    };
    match command_help(name) {
        Some(help) => Ok(client.output.data(&help)?),
        None => tools::show(client, name).await,
    }
}
