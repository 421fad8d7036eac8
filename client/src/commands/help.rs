//! `help` at the prompt: how to use it.

use crate::{error::Error, prompt::completion::WORDS, session::client::Client};

const GRAMMAR: &str = "\
Type the name of a tool and what it should get:

  echo ping pong               everything after the name, for a tool that needs one text
  echo message=\"ping pong\"     an argument by name; quotes hold words together
  search tags=a,b limit=5      lists, numbers and yes/no as the tool declares them
  search filter:={\"tag\":\"a\"}   any value, as JSON
  book_table                   nothing: you are asked for each argument, Enter skips what may be
                               left out, Esc calls nothing

Several servers: `add work https://mcp.example.com/mcp` names one, `use work` goes there.
A prompt of the server is filled in by `prompt introduce name=\"Nick Lucas\"`.

A server may ask you something while it works; you see what is sent before it is.
Tab completes, the arrows choose from what is offered, Enter runs the line.
Ctrl-C stops what is running; on an empty line Ctrl-D or `quit` leaves.

Words of the prompt itself:
";

/// Prints how the prompt is used.
pub(crate) fn run(client: &Client) -> Result<(), Error> {
    let words = WORDS.iter().map(|(word, meaning)| format!("\n  {word:<9} {meaning}"));
    Ok(client.output.data(&format!("{GRAMMAR}{}", words.collect::<String>()))?)
}
