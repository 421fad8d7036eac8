//! `client add`, `use`, `list` and `remove`: several servers, by name.

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
