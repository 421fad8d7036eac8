//! The command line for protected MCP servers, and the client's half of MCP authorization.
//!
//! - [`oauth`] is the rules and messages of authorization, one file per step; it is the part to
//!   read first. [`sign_in`] walks through them, [`renewal`] renews what came of it.
//! - [`access`] decides what to do when a server wants a (better) token; [`client`] repeats what
//!   was refused.
//! - [`wire`] and [`connection`] carry MCP over HTTP, on top of rmcp; [`conversation`] answers what
//!   servers ask.
//! - [`commands`] is what a person can ask for, from the command line ([`cli`]) or the prompt
//!   ([`interactive`]).
//!
//! [`run`] is the whole program.

use std::{ffi::OsString, path::Path, sync::Arc};

use clap::{Parser as _, error::ErrorKind};
use net::clock;

use crate::{
    browser::Browser,
    cli::{Cli, command::Command},
    client::Client,
    clock::Clock,
    commands::{Task, completions, perform},
    credentials::{Credentials, CredentialsError, keyring::SystemKeyring},
    error::Error,
    exit::Exit,
    explain::Explanation,
    manners::Manners,
    output::Output,
    person::Person,
    received::Received,
    servers::Servers,
    setup::Setup,
};

pub mod access;
pub mod browser;
pub mod callback;
pub mod cli;
pub mod client;
pub mod commands;
pub mod completion;
pub mod connection;
pub mod conversation;
pub mod credentials;
pub mod doctor;
pub mod error;
pub mod exit;
pub mod explain;
pub mod fetch;
pub mod file_lock;
pub mod form;
pub mod grammar;
pub mod history;
pub mod interactive;
pub mod manners;
pub mod oauth;
pub mod output;
pub mod paste;
pub mod person;
pub mod presentation;
pub mod printable;
pub mod private_file;
pub mod profile;
pub mod prompt;
pub mod protocol;
pub mod received;
pub mod renewal;
pub mod secret;
pub mod server_address;
pub mod servers;
pub mod setup;
pub mod sign_in;
pub mod skill;
pub mod suggestion;
pub mod wire;

pub use crate::output::Streams;

/// Runs the program with `arguments`, the first of which is its name.
pub async fn run(arguments: impl IntoIterator<Item = OsString>, streams: Streams) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let parsed = Cli::try_parse_from(&arguments);
    let json = match &parsed {
        Ok(cli) => cli.options.json,
        Err(_) => arguments.iter().any(|argument| argument == "--json"),
    };
    let wants_colour = parsed.as_ref().is_ok_and(|cli| !cli.environment.forbids_colour());
    let output = Arc::new(Output::new(streams, json, wants_colour));
    let outcome = match parsed {
        Ok(cli) => start(cli, Arc::clone(&output)).await,
        Err(error) => explain_usage(&output, &error),
    };
    outcome.map_or_else(
        |error| {
            error.tell(&output);
            error.exit()
        },
        |()| Exit::Success,
    )
}

async fn start(cli: Cli, output: Arc<Output>) -> Result<(), Error> {
    let state_directory = cli.options.state_dir.clone();
    let state_directory = state_directory
        .or_else(|| cli.environment.state_directory())
        .ok_or(CredentialsError::NoDirectory)?;
    let mut servers = Servers::read(&state_directory).map_err(Error::Servers)?;
    match &cli.command {
        Some(Command::Servers(command)) => {
            return crate::commands::servers::run(command, &mut servers, &output).await;
        }
        Some(Command::Completions { shell }) => return completions::run(*shell, &output),
        _ => {}
    }
    let server = cli.options.server(&servers)?;
    let store = cli.options.credentials_store;
    let keyring = SystemKeyring::new(&state_directory, store);
    let credentials = Credentials::open(state_directory.clone(), store, &keyring).await?;
    warn_of_exposed_secrets(&cli, &credentials, &output)?;
    let is_conversation = output.is_conversation();
    let manners = manners(&cli, output, &state_directory);
    let profile = cli.options.profile().map_err(usage)?;
    let clock = Clock::system();
    let mut client = Client::new(Setup { server, credentials, clock, manners, profile })?;
    let outcome = match cli.command.and_then(Task::from_command) {
        Some(task) => stoppable(perform(&mut client, task)).await,
        None if is_conversation => interactive::run_prompt(&mut client, &state_directory).await,
        None => stoppable(interactive::run_lines(&mut client)).await,
    };
    client.start_afresh().await;
    outcome
}

/// Says which secrets others on this machine could use.
fn warn_of_exposed_secrets(
    cli: &Cli,
    credentials: &Credentials,
    output: &Output,
) -> Result<(), Error> {
    if credentials.make_private()? {
        output.say(&format!(
            "warning: others on this machine could use the tokens in {}. Now only you can. If you do \
             not trust them, run `client logout` and sign in again.",
            credentials.path().display()
        ));
    }
    for file in cli.options.sign_in.exposed_files() {
        let file = file.display();
        output.say(&format!(
            "warning: others on this machine can use the secret in {file}. Run `chmod 600 {file}`."
        ));
    }
    Ok(())
}

fn manners(cli: &Cli, output: Arc<Output>, state_directory: &Path) -> Manners {
    // A browser that opens by itself puzzles whoever did not see why.
    let browser = match output.has_reader() && !cli.options.no_browser {
        true => Browser::Open(cli.environment.browser()),
        false => Browser::Print,
    };
    let explanation = match cli.options.sign_in.explain {
        true => Explanation::aloud(Arc::clone(&output)),
        false => Explanation::default(),
    };
    let conversation = Arc::new(Person::new(Arc::clone(&output), browser.clone()));
    let received = cli.options.save_to.clone();
    Manners {
        may_ask: !cli.options.no_input,
        may_paste: output.is_conversation(),
        browser,
        timeout: cli.options.sign_in_timeout,
        explanation,
        conversation,
        received: Received::new(received.unwrap_or_else(|| state_directory.join("received"))),
        output,
    }
}

/// Runs `work` until it is done or Ctrl-C is pressed. A request that is dropped so is cancelled at
/// the server.
async fn stoppable<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::select! {
        outcome = work => outcome,
        stopped = tokio::signal::ctrl_c() => match stopped {
            Ok(()) => Err(Error::Interrupted),
            Err(error) => Err(Error::Input(error)),
        },
    }
}

fn usage(message: String) -> Error {
    Error::Usage { message, hint: Some("`client login --help` explains the flags".to_owned()) }
}

/// Help and version are data; anything else clap has to say is about wrong usage.
fn explain_usage(output: &Output, error: &clap::Error) -> Result<(), Error> {
    let text = error.render().to_string();
    let text = text.trim_end();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(output.data(text)?),
        _ if output.is_json() => Err(Error::Usage {
            message: text.lines().next().unwrap_or_default().replace("error: ", ""),
            hint: Some("`client --help` lists what there is".to_owned()),
        }),
        _ => {
            output.say(text);
            Err(Error::AlreadyTold(Exit::Usage))
        }
    }
}
