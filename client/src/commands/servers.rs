//! `client add`, `use`, `list` and `remove`: several servers, by name.

use clap::{Parser, Subcommand};
use serde_json::json;
use url::Url;

use crate::{cli::server_address, client::Client, error::Error, output::Output, servers::Servers};

/// What can be done with names of servers.
#[derive(Clone, Debug, Subcommand)]
pub enum ServerCommand {
    /// Give a server a name: `client add work https://mcp.example.com/mcp`
    Add {
        /// What it is to be called
        #[arg(value_parser = server_name)]
        name: String,
        /// Its address
        #[arg(value_parser = server_address)]
        address: Url,
    },
    /// Use the server of this name from now on
    Use {
        /// Its name
        name: String,
    },
    /// List the servers that have names
    List,
    /// Forget the name of a server; tokens stay, `client logout` ends them
    Remove {
        /// Its name
        name: String,
    },
}

/// Does it.
///
/// # Errors
/// [`Error::Usage`] when there is no such name; [`Error::Servers`] when the names cannot be kept.
pub fn run(command: &ServerCommand, servers: &mut Servers, output: &Output) -> Result<(), Error> {
    match command {
        ServerCommand::Add { name, address } => {
            servers.add(name, address).map_err(Error::Servers)?;
            told(output, &format!("{name} is {address}."))
        }
        ServerCommand::Use { name } => match servers.choose(name).map_err(Error::Servers)? {
            true => told(output, &format!("{name} is in use.")),
            false => Err(unknown(name, servers)),
        },
        ServerCommand::Remove { name } => match servers.remove(name).map_err(Error::Servers)? {
            true => told(output, &format!("{name} is forgotten.")),
            false => Err(unknown(name, servers)),
        },
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

/// Does what `words` say, and goes to the server that is to be used.
///
/// # Errors
/// As [`run`]; [`Error::Usage`] when the words say nothing.
pub async fn run_typed(client: &mut Client, words: &[String]) -> Result<(), Error> {
    let Typed { command } = Typed::try_parse_from(words).map_err(|error| Error::Usage {
        message: first_sentence(&error.to_string()),
        hint: Some("`help` shows how these words are used".to_owned()),
    })?;
    let mut servers =
        Servers::read(client.access.credentials().directory()).map_err(Error::Servers)?;
    run(&command, &mut servers, &client.output)?;
    match (&command, servers.in_use()) {
        (ServerCommand::Use { .. }, Some((_, address))) if *address != client.server => {
            client.turn_to(address.clone()).await
        }
        (ServerCommand::Add { name, .. }, _) => {
            client.output.say(&format!("`use {name}` goes there."));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What clap says, without its advice on flags.
fn first_sentence(error: &str) -> String {
    error.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// No server has that name.
pub fn unknown(name: &str, servers: &Servers) -> Error {
    let names: Vec<_> = servers.all().map(|(name, _)| name).collect();
    let hint = match names.is_empty() {
        true => "name one with `client add NAME URL`".to_owned(),
        false => format!("there are {}", names.join(", ")),
    };
    Error::Usage { message: format!("no server is called `{name}`"), hint: Some(hint) }
}

fn told(output: &Output, words: &str) -> Result<(), Error> {
    match output.is_json() {
        true => output.json(&json!({"done": true})),
        false => {
            output.say(words);
            Ok(())
        }
    }
}

fn list(servers: &Servers, output: &Output) -> Result<(), Error> {
    let in_use = servers.in_use().map(|(name, _)| name);
    if output.is_json() {
        let all = servers.all().map(|(name, address)| {
            json!({"name": name, "server": address, "in_use": Some(name) == in_use})
        });
        return output.json(&all.collect::<Vec<_>>());
    }
    let width = servers.all().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let lines: Vec<_> = servers
        .all()
        .map(|(name, address)| {
            let sign = if Some(name) == in_use { '*' } else { ' ' };
            format!("{sign} {name:<width$}  {address}")
        })
        .collect();
    match lines.is_empty() {
        true => told(output, "No server has a name yet: `client add NAME URL` gives one."),
        false => output.data(&lines.join("\n")),
    }
}

fn server_name(text: &str) -> Result<String, String> {
    let is_good = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    match !text.is_empty() && text.chars().all(is_good) {
        true => Ok(text.to_owned()),
        false => Err("use letters, digits, `-`, `_` and `.`".to_owned()),
    }
}
