//! The command line for protected MCP servers, and the client's half of MCP authorization.
//!
//! - `oauth` has the rules and messages of authorization, one file per step. Read it first.
//! - `sign_in` goes through these steps and ends with a grant, which `credentials` keeps.
//! - `session` talks MCP to one server, and gets and renews the tokens that this takes.
//! - `commands` has one file per command of the command line (`cli`) and the prompt
//!   (`prompt`).
//!
//! [`run`] is the whole program.

use std::{ffi::OsString, sync::Arc};

use clap::{FromArgMatches as _, error::ErrorKind};
use net::clock::Clock;

use crate::{
    cli::{
        Cli,
        command::Command,
        servers::Servers,
        usage::{meant, unknown_command, usage_error},
    },
    credentials::{CredentialsError, keyring::SystemKeyring},
    session::person::Person,
};

mod arguments;
mod cli;
mod commands;
mod credentials;
mod doctor;
mod error;
mod exit;
mod files;
mod http;
mod oauth;
mod profile;
mod prompt;
mod protocol;
mod secret;
mod session;
mod sign_in;
mod terminal;

pub use crate::{
    commands::skills::skill::{list as list_skills, load as load_skill},
    credentials::Credentials,
    error::Error,
    exit::Exit,
    files::received::Received,
    oauth::{
        client_assertion::ClientKey,
        dpop_choice::DpopChoice,
        enterprise::IdentityProvider,
        identity::{Identity, PreRegistered},
    },
    profile::{AnswerTimeout, Profile, SignInMethod},
    protocol::Protocol,
    secret::Secret,
    session::{client::Client, conversation::Conversation, options::ConnectionOptions},
    sign_in::{interaction::Interaction, opener::Browser},
    terminal::{
        explain::Explanation,
        output::{Output, Streams},
    },
};

/// Runs the program with `arguments`, the first of which is its name.
pub async fn run(arguments: impl IntoIterator<Item = OsString>, streams: Streams) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let parsed = Cli::grammar((streams.stdout_columns)()).try_get_matches_from(&arguments);
    let parsed = parsed.and_then(|matches| Cli::from_arg_matches(&matches));
    let json = match &parsed {
        Ok(cli) => cli.options.json,
        Err(_) => arguments.iter().any(|argument| argument == "--json"),
    };
    let is_dumb = parsed.as_ref().is_ok_and(|cli| cli.environment.has_dumb_terminal());
    let streams = if is_dumb { streams.without_terminal() } else { streams };
    let wants_colour = parsed.as_ref().is_ok_and(|cli| !cli.environment.forbids_colour());
    let output = Arc::new(Output::new(streams, json, wants_colour));
    let outcome = match parsed {
        Ok(cli) => start(cli, Arc::clone(&output)).await,
        Err(error) => explain_usage(&output, &error, &arguments),
    };
    outcome.map_or_else(
        |error| {
            error.report(&output);
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
    let mut servers = Servers::read(&state_directory)?;
    match &cli.command {
        Some(Command::Servers(command)) => {
            return crate::commands::servers::run(command, &mut servers, &output).await;
        }
        Some(Command::Man { directory }) => return commands::man::run(directory),
        Some(Command::Completions { shell }) => return commands::completions::run(*shell, &output),
        _ => {}
    }
    let server = cli.options.server(&servers)?;
    if let Some(Command::Complete { words }) = &cli.command {
        return commands::completions::complete(words, &server, &state_directory, &output);
    }
    let store = cli.options.credentials_store;
    let keyring = SystemKeyring::new(&state_directory, store);
    let credentials = Credentials::open(state_directory.clone(), store, &keyring).await?;
    warn_of_exposed_secrets(&cli, &credentials, &output)?;
    // The line editor asks the terminal behind stdout where its cursor is.
    let has_editor = output.is_conversation() && output.columns().is_some();
    let interaction = user_interaction(&cli, output);
    let received = cli.options.save_to.clone();
    let mut client = Client::new(ConnectionOptions {
        server,
        credentials,
        clock: Clock::system(),
        conversation: Arc::new(Person::new(
            Arc::clone(&interaction.output),
            interaction.browser.clone(),
        )),
        received: Received::new(received.unwrap_or_else(|| state_directory.join("received"))),
        interaction,
        profile: cli.options.profile().map_err(usage)?,
    })?;
    let outcome = match cli.command {
        Some(command) => commands::stoppable(commands::run(&mut client, command)).await,
        None if has_editor => {
            commands::interactive::run_prompt(&mut client, &state_directory).await
        }
        None => commands::stoppable(commands::interactive::run_lines(&mut client)).await,
    };
    client.disconnect().await;
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

fn user_interaction(cli: &Cli, output: Arc<Output>) -> Interaction {
    // A browser that opens by itself would surprise a user who cannot read why.
    let opens_browser =
        output.has_reader() && !cli.options.no_browser && cli.environment.has_display();
    let browser =
        if opens_browser { Browser::Open(cli.environment.browser()) } else { Browser::Print };
    let explanation = if cli.options.explain {
        Explanation::new(Arc::clone(&output))
    } else {
        Explanation::default()
    };
    Interaction {
        may_ask: !cli.options.no_input,
        may_paste: output.is_conversation(),
        browser,
        timeout: cli.options.sign_in_timeout,
        explanation,
        output,
    }
}

fn usage(message: String) -> Error {
    Error::Usage { message, hint: Some("`client login --help` explains the flags".to_owned()) }
}

/// Help and version are data; anything else clap has to say is about wrong usage.
fn explain_usage(
    output: &Output,
    error: &clap::Error,
    arguments: &[OsString],
) -> Result<(), Error> {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return Ok(output.data(error.render().to_string().trim_end())?);
    }
    let Some(word) = unknown_command(error) else { return Err(usage_error(error)) };
    let said = arguments.iter().map(|argument| argument.to_string_lossy());
    let call: Vec<_> = said.skip_while(|argument| *argument != word).collect();
    let meant = meant(error).map_or_else(|| format!("call {}", call.join(" ")), str::to_owned);
    Err(Error::Usage {
        message: format!("`{word}` is not a command"),
        hint: Some(format!("did you mean `client {meant}`?")),
    })
}
