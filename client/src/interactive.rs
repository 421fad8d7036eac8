//! The client without a command: a prompt for people, line by line for pipes.

use std::io;
use std::path::Path;

use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::commands::{Task, perform};
use crate::completion::Completer;
use crate::error::{Error, Exit};
use crate::history::History;
use crate::prompt::{Asked, ask};
use crate::session::Session;
use crate::stoppable;

/// Asks for lines and runs each until the person leaves. Ctrl-C stops what is running; at the
/// prompt itself it leaves.
pub async fn run_prompt(session: &mut Session, state_directory: &Path) -> Result<(), Error> {
    greet(session).await;
    let mut history = History::read(state_directory);
    loop {
        let completer = Completer::new(&history, session.known_tools());
        let line = match ask(completer, session.output.is_coloured()).await? {
            Asked::Line(line) => line,
            Asked::GivenUp => continue,
            Asked::Leave => return Ok(()),
            Asked::Interrupted => return Err(Error::Interrupted),
        };
        let Some(task) = Task::from_line(&line) else { continue };
        if task == Task::Quit {
            return Ok(());
        }
        history.add(line.trim());
        if let Err(error) = stoppable(perform(session, task)).await {
            session.output.error(&error);
            session.access.load_again()?;
        }
    }
}

async fn greet(session: &mut Session) {
    let server = session.server.clone();
    let name = session.access.usable_grant().and_then(|grant| grant.person.as_ref()?.display_name());
    let who = name.map_or(String::new(), |name| format!(", signed in as {name}"));
    session.output.say(&format!("{server}{who}. Type the name of a tool and its text; `help` explains."));
    session.list_tools_quietly().await;
}

/// Runs the lines of stdin one by one. A line that fails does not stop the next one, unless no
/// line can succeed any more; the first failure decides how the whole ends.
pub async fn run_lines(session: &mut Session) -> Result<(), Error> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut first_failure = None;
    while let Some(line) = next_line(&mut lines).await? {
        let Some(task) = Task::from_line(&line) else { continue };
        if task == Task::Quit {
            break;
        }
        let Err(error) = perform(session, task).await else { continue };
        if is_hopeless(&error) {
            return Err(first_failure.unwrap_or(error));
        }
        if let Some(earlier) = first_failure.replace(error) {
            session.output.error(&earlier);
        }
    }
    first_failure.map_or(Ok(()), Err)
}
