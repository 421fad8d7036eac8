//! What the client can do, the same from the command line and from the prompt.

use crate::{
    arguments::RawArguments,
    cli::{
        command::{Command, SkillCommand},
        line::Line,
    },
    error::Error,
    session::client::Client,
};

mod call;
pub(crate) mod completions;
mod doctor;
mod help;
pub(crate) mod interactive;
mod login;
mod logout;
pub(crate) mod man;
mod presentation;
mod prompts;
mod resources;
pub(crate) mod servers;
pub(crate) mod skills;
mod status;
mod tools;

/// Does what a line of the prompt asks for, and prints the result.
pub(crate) async fn perform(client: &mut Client, line: Line) -> Result<(), Error> {
    match line {
        Line::Command { command, .. } => run(client, command).await,
        Line::Call { tool, arguments } => call::run(client, &tool, arguments).await,
        Line::Help(help) => Ok(client.output.data(help.trim_end())?),
        Line::Explain(about) => help::run(client, about.as_deref()).await,
        Line::Quit => Ok(()),
    }
}

/// Runs a command and prints its result.
pub(crate) async fn run(client: &mut Client, command: Command) -> Result<(), Error> {
    match command {
        Command::Call { tool, arguments } => {
            call::run(client, &tool, RawArguments::from_words(arguments)).await
        }
        Command::Tools { name: None } => tools::run(client).await,
        Command::Tools { name: Some(name) } => tools::show(client, &name).await,
        Command::Login => login::run(client).await,
        Command::Logout => logout::run(client).await,
        Command::Status => status::run(client),
        Command::Doctor(doctor) => doctor::run(client, &doctor).await,
        Command::Resources => resources::run(client).await,
        Command::Read { uri } => resources::read(client, &uri).await,
        Command::Prompts => prompts::run(client).await,
        Command::Prompt { name, arguments } => {
            prompts::get(client, &name, &RawArguments::from_words(arguments)).await
        }
        Command::Skills { command } => {
            skills::run(client, &command.unwrap_or(SkillCommand::List)).await
        }
        Command::Servers(command) => servers::run_and_switch(client, &command).await,
        Command::Man { directory } => man::run(&directory),
        Command::Complete { words } => {
            let directory = client.access.options.credentials.directory();
            completions::complete(&words, &client.server, directory, &client.output)
        }
        Command::Completions { shell } => completions::run(shell, &client.output),
    }
}

/// Runs `work` until it is done or the user presses Ctrl-C. Dropping a request cancels it at the
/// server.
pub(crate) async fn stoppable<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::select! {
        outcome = work => outcome,
        stopped = tokio::signal::ctrl_c() => match stopped {
            Ok(()) => Err(Error::Interrupted),
            Err(error) => Err(Error::Input(error)),
        },
    }
}
