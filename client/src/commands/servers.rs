//! `client add`, `use`, `list` and `remove`: several servers, by name.

use clap::Parser;
use serde_json::json;

use crate::{
    cli::{command::ServerCommand, servers::Servers},
    error::Error,
    session::client::Client,
    terminal::output::Output,
};

pub(crate) async fn run(
    command: &ServerCommand,
    servers: &mut Servers,
    output: &Output,
) -> Result<(), Error> {
    match command {
        ServerCommand::Add { name, address } => {
            servers.add(name, address).await?;
            report_done(output, &format!("{name} is {address}."))
        }
        ServerCommand::Use { name } => {
            servers.choose(name).await?;
            report_done(output, &format!("{name} is in use."))
        }
        ServerCommand::Remove { name } => {
            servers.remove(name).await?;
            report_done(output, &format!("{name} is forgotten."))
        }
        ServerCommand::List => list(servers, output),
    }
}

/// What was typed at the prompt.
#[derive(Debug, Parser)]
#[command(no_binary_name = true, disable_help_flag = true, disable_help_subcommand = true)]
struct Typed {
    #[command(subcommand)]
    command: ServerCommand,
}

/// Runs the command that was typed at the prompt as `words`.
pub(crate) async fn run_typed(client: &mut Client, words: &[String]) -> Result<(), Error> {
    let Typed { command } = Typed::try_parse_from(words).map_err(|error| Error::Usage {
        message: first_sentence(&error.to_string()),
        hint: Some("`help` shows how these words are used".to_owned()),
    })?;
    run_and_switch(client, &command).await
}

/// Runs `command`, and switches to the server that is in use then.
pub(crate) async fn run_and_switch(
    client: &mut Client,
    command: &ServerCommand,
) -> Result<(), Error> {
    let mut servers = Servers::read(client.access.options.credentials.directory())?;
    run(command, &mut servers, &client.output).await?;
    match (command, servers.in_use()) {
        (ServerCommand::Use { .. }, Some((_, address))) if *address != client.server => {
            client.switch_to(address.clone()).await
        }
        (ServerCommand::Add { name, .. }, _) => {
            client.output.say(&format!("`use {name}` goes there."));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The message of clap without its advice on flags.
fn first_sentence(error: &str) -> String {
    error.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

fn report_done(output: &Output, words: &str) -> Result<(), Error> {
    if output.is_json() {
        output.json(&json!({"done": true}))?
    } else {
        output.say(words)
    }
    Ok(())
}

fn list(servers: &Servers, output: &Output) -> Result<(), Error> {
    let in_use = servers.in_use().map(|(name, _)| name);
    if output.is_json() {
        let all = servers.all().map(|(name, address)| {
            json!({"name": name, "server": address, "in_use": Some(name) == in_use})
        });
        return Ok(output.json(&all.collect::<Vec<_>>())?);
    }
    let width = servers.all().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let lines: Vec<_> = servers
        .all()
        .map(|(name, address)| {
            let sign = if Some(name) == in_use { '*' } else { ' ' };
            format!("{sign} {name:<width$}  {address}")
        })
        .collect();
    if lines.is_empty() {
        report_done(output, "No server has a name yet: `client add NAME URL` gives one.")
    } else {
        Ok(output.data(&lines.join("\n"))?)
    }
}
