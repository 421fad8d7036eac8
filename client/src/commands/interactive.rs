//! The client without a command: a prompt for users, line by line for pipes.

use std::{io, path::Path, time::Duration};

use tokio::sync::mpsc;

use crate::{
    cli::servers::Servers,
    commands::{Task, perform, stoppable},
    error::Error,
    exit::Exit,
    files::history::History,
    prompt::{
        LineAnswer, ask,
        completion::{Completer, Known, WORDS},
    },
    session::client::Client,
    terminal::{printable::printable_line, suggestion::closest},
};

const LISTING_TIMEOUT: Duration = Duration::from_secs(3);

/// Asks for lines and runs each until the user leaves. Ctrl-C stops what is running; at the
/// prompt itself it leaves.
pub(crate) async fn run_prompt(client: &mut Client, state_directory: &Path) -> Result<(), Error> {
    greet(client);
    // Completion is a convenience; a slow server must not keep the prompt waiting for it.
    let _ = tokio::time::timeout(LISTING_TIMEOUT, client.list_tools_quietly()).await;
    let mut history = History::read(state_directory);
    loop {
        let known = known(client, state_directory);
        let completer = Completer::new(&history, &client.tools, &known);
        let line = match ask(completer, client.output.is_coloured()).await? {
            LineAnswer::Line(line) => line,
            LineAnswer::Cancelled => continue,
            LineAnswer::Leave => return Ok(()),
            LineAnswer::Interrupted => return Err(Error::AlreadyTold(Exit::Interrupted)),
        };
        let Some(task) = Task::from_line(&line) else { continue };
        if task == Task::Quit {
            return Ok(());
        }
        if matches!(task, Task::Call { .. }) {
            history.add(line.trim());
        }
        let server = client.server.clone();
        let outcome = match misspelled_word(client, &task, &line) {
            Some(error) => Err(error),
            None => stoppable(perform(client, task)).await,
        };
        if client.server != server {
            greet(client);
            let _ = tokio::time::timeout(LISTING_TIMEOUT, client.list_tools_quietly()).await;
        }
        // A sign-in that was stopped half-way has set aside what is stored.
        for error in [outcome.err(), client.access.reload().err()].into_iter().flatten() {
            error.report(&client.output);
        }
    }
}

/// The names that can be completed. The file of servers is optional, so its errors are ignored.
fn known(client: &Client, state_directory: &Path) -> Known {
    let described = |name: &str, about: Option<&str>| {
        (printable_line(name), printable_line(about.unwrap_or_default()))
    };
    let servers = Servers::read(state_directory);
    let servers = servers.iter().flat_map(Servers::all);
    let resources = client.resources.iter();
    let prompts = client.prompts.iter();
    Known {
        servers: servers.map(|(name, url)| described(name, Some(url.as_str()))).collect(),
        resources: resources.map(|one| described(&one.uri, Some(&one.name))).collect(),
        prompts: prompts.map(|one| described(&one.name, one.description.as_deref())).collect(),
    }
}

fn greet(client: &Client) {
    let grant = client.access.usable_grant();
    let name = grant.and_then(|grant| grant.person.as_ref()?.display_name());
    let who = name.map_or(String::new(), |name| format!(", signed in as {name}"));
    client.output.say(&format!("{}{who}", client.server));
    client.output.say("Type a tool and its text, like `echo ping pong`; `help` explains.");
}

/// The error for a misspelled word of the prompt. Without this check the word would be looked up
/// among the server's tools, which may start a sign-in. `call <tool>` is never taken for a typo.
fn misspelled_word(client: &Client, task: &Task, line: &str) -> Option<Error> {
    if !matches!(task, Task::Call { .. }) {
        return None;
    }
    let word = line.split_whitespace().next()?;
    let words = WORDS.iter().map(|(known, _)| *known);
    let is_known = words.clone().any(|known| known == word)
        || client.tools.iter().any(|tool| tool.name == word);
    if is_known || line.trim() != word {
        return None;
    }
    let meant = closest(word, words)?;
    Some(Error::Usage {
        message: format!("there is no `{word}` here"),
        hint: Some(format!("did you mean `{meant}`? For a tool of that name, use `call {word}`")),
    })
}

/// Runs the lines of stdin one by one. A line that fails does not stop the next one, unless that
/// would fail too; the first failure decides the exit status.
pub(crate) async fn run_lines(client: &mut Client) -> Result<(), Error> {
    let mut lines = stdin_lines();
    let mut outcome = Ok(());
    while let Some(line) = lines.recv().await {
        let Some(task) = Task::from_line(&line.map_err(Error::Input)?) else { continue };
        if task == Task::Quit {
            break;
        }
        let Err(error) = perform(client, task).await else { continue };
        error.report(&client.output);
        let exit = error.exit();
        outcome = outcome.and(Err(Error::AlreadyTold(exit)));
        if matches!(exit, Exit::Unreachable | Exit::SignIn) {
            break;
        }
    }
    outcome
}

/// The lines of stdin, read by a thread that the process need not wait for when it ends.
fn stdin_lines() -> mpsc::Receiver<io::Result<String>> {
    let (sender, receiver) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in io::stdin().lines() {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
