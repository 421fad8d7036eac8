//! The client without a command: a prompt for users, line by line for pipes.

use std::{io, path::Path, time::Duration};

use tokio::sync::mpsc;

use crate::{
    cli::{
        line::{Line, commands},
        servers::Servers,
    },
    commands::{perform, stoppable},
    error::Error,
    exit::Exit,
    files::history::History,
    profile::SignInMethod,
    prompt::{
        completion::{Completer, Known},
        editor::{LineAnswer, SIGN, ask},
        secrecy::may_hold_secret,
    },
    session::client::Client,
    terminal::{printable::printable_line, suggestion::closest},
};

const LISTING_TIMEOUT: Duration = Duration::from_secs(3);

/// Asks for lines and runs each until the user leaves. Ctrl-C stops what is running, and gives up
/// a line that is being typed.
pub(crate) async fn run_prompt(client: &mut Client, state_directory: &Path) -> Result<(), Error> {
    greet(client).await;
    let mut history = History::read(state_directory);
    let mut knows_how_to_leave = false;
    // What was typed or pasted while a line ran: lines that follow it, and the beginning of one.
    let mut ahead = String::new();
    loop {
        let coloured = client.output.is_coloured();
        let completer = Completer::new(&client.tools, &known(client, state_directory));
        let answer = if let Some((line, further)) = ahead.split_once('\n') {
            client.output.say(&format!("{SIGN}{line}"));
            LineAnswer::Line { line: line.to_owned(), further: further.to_owned() }
        } else {
            ask(&history, completer, std::mem::take(&mut ahead), coloured).await?
        };
        let line = match answer {
            LineAnswer::Line { line, further } => {
                ahead = further;
                line
            }
            LineAnswer::Cancelled => {
                // Elsewhere Ctrl-C leaves.
                if !knows_how_to_leave {
                    client.output.say("Ctrl-D or `quit` leaves.");
                }
                knows_how_to_leave = true;
                continue;
            }
            LineAnswer::Leave => return Ok(()),
        };
        if !line.trim().is_empty() {
            history.add(line.trim_end(), is_secret(client, &line));
        }
        let outcome = match Line::parse(&line) {
            Ok(Some(Line::Quit)) => return Ok(()),
            Ok(Some(parsed)) => run_line(client, parsed, &line).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        // A user who stops a line does not want the next one to run.
        if matches!(outcome, Err(Error::Interrupted)) {
            ahead.clear();
        }
        // A sign-in that was stopped half-way has set aside what is stored.
        for error in [outcome.err(), client.access.reload().err()].into_iter().flatten() {
            error.report(&client.output);
        }
    }
}

async fn run_line(client: &mut Client, parsed: Line, line: &str) -> Result<(), Error> {
    if let Some(error) = misspelled_command(client, &parsed, line) {
        return Err(error);
    }
    let server = client.server.clone();
    let method = client.access.options.profile.method.clone();
    if matches!(parsed, Line::Command { by_device: true, .. }) {
        client.access.options.profile.method = SignInMethod::Device;
    }
    let outcome = stoppable(perform(client, parsed)).await;
    client.access.options.profile.method = method;
    if client.server != server {
        greet(client).await;
    }
    outcome
}

/// Whether `line` may hold a secret, also by what is known of the tool that it calls.
fn is_secret(client: &Client, line: &str) -> bool {
    let words = line.trim_start().trim_start_matches("call ");
    let name = words.split_whitespace().next();
    let tool = client.tools.iter().find(|tool| Some(tool.name.as_ref()) == name);
    may_hold_secret(line, tool)
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

async fn greet(client: &mut Client) {
    let grant = client.access.usable_grant();
    let name = grant.and_then(|grant| grant.person.as_ref()?.display_name());
    let who = name.map_or(String::new(), |name| format!(", signed in as {name}"));
    client.output.say(&format!("{}{who}", client.server));
    client
        .output
        .say("Type a tool and its text, like `echo ping pong`. Tab completes, `help` explains.");
    // Completion is a convenience; a slow server must not keep the prompt waiting for it.
    let _ = tokio::time::timeout(LISTING_TIMEOUT, client.list_tools_quietly()).await;
}

/// The error for a misspelled command. Without this check the word would be looked up among the
/// server's tools, which may start a sign-in. `call <tool>` is never taken for a typo.
fn misspelled_command(client: &Client, parsed: &Line, line: &str) -> Option<Error> {
    let Line::Call { tool: word, .. } = parsed else { return None };
    let is_tool = client.tools.iter().any(|tool| tool.name == *word);
    if is_tool || line.trim() != word {
        return None;
    }
    let commands = commands();
    let meant = closest(word, commands.iter().map(|command| command.name.as_str()))?;
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
    loop {
        if client.output.is_conversation() {
            client.output.await_line("❯ ");
        }
        let Some(line) = lines.recv().await else { break };
        let performed = match Line::parse(&line.map_err(Error::Input)?) {
            Ok(Some(Line::Quit)) => break,
            Ok(Some(line)) => perform(client, line).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        let Err(error) = performed else { continue };
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
