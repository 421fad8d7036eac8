//! Every front door of Portcullis in one program, and `up`, which runs auth and gate on one port.

mod data;
pub mod github;
mod one_port;
mod up;

use std::{
    ffi::OsString,
    io::{self, Write},
    iter,
    process::ExitCode,
};

use clap::{Args, Command, Parser, Subcommand};

use self::up::Up;

/// Sign-in in front of any MCP server.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version)]
struct CommandLine {
    #[command(subcommand)]
    door: Door,
}

#[derive(Debug, Subcommand)]
enum Door {
    /// Run the authorization server and the gate in one process, on one port, under one name.
    Up(Up),
    /// The authorization server, and its commands for operators.
    #[command(disable_help_flag = true)]
    Auth(Rest),
    /// Sign-in in front of an MCP server, in any language.
    #[command(disable_help_flag = true)]
    Gate(Rest),
    /// The model MCP server.
    #[command(disable_help_flag = true)]
    Mcp(Rest),
    /// A client for MCP servers.
    #[command(disable_help_flag = true)]
    Client(Rest),
    /// Examine a server from outside.
    #[command(disable_help_flag = true)]
    Doctor(Rest),
}

/// What the program behind the door reads itself.
#[derive(Args, Debug)]
struct Rest {
    /// The same options and commands as those of the program with this name.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    _arguments: Vec<OsString>,
}

/// The options of `portcullis up`.
pub fn options_of_up() -> Command {
    Up::augment_args(Command::new("up"))
}

/// Runs what the arguments ask for; the first is the name of the program.
pub async fn run(arguments: Vec<OsString>) -> ExitCode {
    // Not by clap, which would take a `--` off what the program behind the door must see.
    let door = arguments.get(1).and_then(|door| door.to_str()).unwrap_or_default();
    let name = OsString::from(format!("portcullis {door}"));
    let rest = iter::once(name).chain(arguments.iter().skip(2).cloned());
    match door {
        "auth" => return auth::program::run(rest).await,
        "gate" => return gate::program::run(rest).await,
        "mcp" => return mcp::program::run(rest).await,
        "client" => return client::run(rest, client::Streams::standard()).await.into(),
        "doctor" => {
            let all = arguments.iter().cloned();
            return client::run(all, client::Streams::standard()).await.into();
        }
        _ => {}
    }
    let outcome = match CommandLine::parse_from(arguments).door {
        Door::Up(up) => up.run().await,
        // Each was taken above.
        _ => return ExitCode::FAILURE,
    };
    outcome.unwrap_or_else(|error| {
        // If stderr is closed, the error cannot be reported.
        let _ = writeln!(io::stderr(), "error: {error}");
        ExitCode::FAILURE
    })
}
