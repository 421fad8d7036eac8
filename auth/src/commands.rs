//! What an operator can ask of `auth` besides serving: one command, one file.

pub mod access;
pub mod audit;
pub mod clients;
pub mod config;
pub mod explain;
pub mod grants;
pub mod keys;
mod person;
mod table;
pub mod users;

use std::{
    ffi::OsString,
    io::{self, Write},
};

use clap::{Args, CommandFactory, FromArgMatches, Subcommand};
use net::clock::Clock;
use thiserror::Error;

use crate::{
    config::Config,
    key_ring::KeyRingError,
    oauth::OAuthError,
    storage::{OpenError, StorageError},
};

/// What the command line asks for.
#[derive(Debug)]
pub enum Task {
    /// No command: serve.
    Serve(Box<Config>),
    /// A command of the operator.
    Command(Command),
}

/// Commands for the operator. They work on the same database as the server, which may be running.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Who may come in, and with what.
    #[command(subcommand)]
    Access(access::Command),
    /// What happened to accounts: sign-ins, and what people and operators allowed and ended.
    Audit(audit::Command),
    /// Clients: those that an operator enters, and those that people use.
    #[command(subcommand)]
    Clients(clients::Command),
    /// The settings, and the configuration file.
    #[command(subcommand)]
    Config(config::Command),
    /// Tell the whole story of one request.
    Explain(explain::Explain),
    /// What people have allowed programs.
    Grants(grants::Command),
    /// Keys that sign tokens.
    #[command(subcommand)]
    Keys(keys::Command),
    /// People who have signed in.
    Users(users::Command),
}

/// How a command answers.
#[derive(Clone, Copy, Debug, Args)]
pub struct Format {
    /// Answer in JSON.
    #[arg(long)]
    pub json: bool,
}

/// A command could not be carried out. The text says what to change.
#[derive(Debug, Error)]
pub enum CommandError {
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database fails.
    #[error("the database fails: {0}")]
    Storage(#[from] StorageError),
    /// The signing keys cannot be read or changed.
    #[error(transparent)]
    Keys(#[from] KeyRingError),
    /// What was asked for is against a rule of OAuth.
    #[error("{}", .0.description)]
    Rule(#[from] OAuthError),
    /// What was asked for cannot be.
    #[error("{0}")]
    Refused(String),
    /// The policy says no, and the answer has been written.
    #[error("the policy says no")]
    SaidNo,
    /// The answer cannot be written.
    #[error("the answer cannot be written: {0}")]
    Output(#[from] io::Error),
}

impl Task {
    /// Reads the command line and the environment. Without a command they are the settings of the
    /// server; with one, only those that the command names.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let about = "The OAuth 2.1 and OpenID Connect authorization server";
        let grammar = Command::augment_subcommands(Config::command())
            .about(about)
            .subcommand_negates_reqs(true)
            .after_help("Without a command, the server is started.");
        let matches = grammar.try_get_matches_from(arguments)?;
        match matches.subcommand_name() {
            Some(_) => Command::from_arg_matches(&matches).map(Self::Command),
            None => Config::from_arg_matches(&matches).map(Box::new).map(Self::Serve),
        }
    }
}

impl Command {
    /// Carries the command out; its answer goes to `stdout`.
    pub async fn run(self, clock: Clock, stdout: &mut impl Write) -> Result<(), CommandError> {
        let done = match self {
            Self::Access(command) => command.run(stdout).await,
            Self::Audit(audit) => audit.run(clock, stdout).await,
            Self::Clients(command) => command.run(clock, stdout).await,
            Self::Config(command) => command.run(stdout),
            Self::Explain(explain) => explain.run(stdout),
            Self::Grants(command) => command.run(clock, stdout).await,
            Self::Keys(command) => command.run(clock, stdout).await,
            Self::Users(command) => command.run(clock, stdout).await,
        };
        match done {
            // The reader has closed the pipe, as `head` does.
            Err(CommandError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            done => done,
        }
    }
}
