//! The command line: flags, commands, and the few things the environment may say.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser};
use rmcp::model::ProtocolVersion;
use url::Url;

use crate::{
    cli::servers::Servers,
    credentials::keyring::SecretStore,
    error::Error,
    http::server_address,
    profile::{AnswerTimeout, Profile},
    protocol::Protocol,
};

pub(crate) mod command;
pub(crate) mod line;
pub(crate) mod servers;
pub(crate) mod sign_in;
pub(crate) mod usage;

use self::{command::Command, sign_in::SignInOptions};

const MORE_HELP: &str = "\
Without a command a prompt opens, where `echo ping pong` calls the tool `echo`.
When stdin is not a terminal, its lines are run one by one instead.

Exit status: 0 done, 1 failure, 2 usage, 3 unreachable, 4 sign-in needed or
refused, 5 the tool reported an error, 6 forbidden, 130 stopped by Ctrl-C.";

/// Where `make dev` puts the demo server.
const DEFAULT_SERVER: &str = "http://localhost:3001/mcp";

/// Talk to a protected MCP server: list its tools, call them, sign in when it asks for that.
#[derive(Debug, Parser)]
#[command(name = "client", version, after_help = MORE_HELP)]
pub(crate) struct Cli {
    /// Flags.
    #[command(flatten)]
    pub(crate) options: Options,
    /// The environment.
    #[command(flatten)]
    pub(crate) environment: Environment,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Flags that every command takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// The MCP server, by address or by the name that `client add` gave it, instead of the one in
    /// use or http://localhost:3001/mcp
    #[arg(long, global = true, value_name = "URL | NAME", env = "PORTCULLIS_SERVER")]
    #[arg(value_parser = server_choice)]
    pub(crate) server: Option<ServerChoice>,
    /// Print the address to sign in at instead of opening a browser
    #[arg(long, global = true)]
    pub(crate) no_browser: bool,
    /// Never start a sign-in; end with status 4 where one is needed
    #[arg(long, global = true)]
    pub(crate) no_input: bool,
    /// How long to wait for the browser, in seconds
    #[arg(long, global = true, value_name = "SECONDS", default_value = "300")]
    #[arg(value_parser = seconds)]
    pub(crate) sign_in_timeout: Duration,
    /// How long a server may be silent while it works on a request, in seconds
    #[arg(long, global = true, value_name = "SECONDS", default_value = "300")]
    #[arg(value_parser = seconds)]
    pub(crate) answer_timeout: Duration,
    /// Where tokens and history are kept, instead of $XDG_STATE_HOME/portcullis
    #[arg(long, global = true, value_name = "DIR", env = "PORTCULLIS_STATE_DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    /// Where images and other data of an answer are kept, instead of `received` in the state
    /// directory
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) save_to: Option<PathBuf>,
    /// Where the secrets among the tokens are kept
    #[arg(long, global = true, value_enum, default_value_t, env = "PORTCULLIS_CREDENTIALS_STORE")]
    pub(crate) credentials_store: SecretStore,
    /// Speak this revision of MCP only, like 2025-11-25, instead of the newest both sides know
    #[arg(long, global = true, value_name = "REVISION", value_parser = protocol)]
    pub(crate) protocol: Option<Protocol>,
    /// How to sign in.
    #[command(flatten)]
    pub(crate) sign_in: SignInOptions,
    /// Print results as JSON, and errors as {"error":{"code","message","hint"}} on stderr
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// How a server is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ServerChoice {
    /// By its address.
    Address(Url),
    /// By the name that the person gave it.
    Name(String),
}

impl Options {
    /// The address of the server that is meant.
    pub(crate) fn server(&self, servers: &Servers) -> Result<Url, Error> {
        match &self.server {
            Some(ServerChoice::Address(address)) => Ok(address.clone()),
            Some(ServerChoice::Name(name)) => match servers.address(name) {
                Some(address) => Ok(address.clone()),
                None => Err(servers.unknown(name)),
            },
            None => match servers.in_use() {
                Some((_, address)) => Ok(address.clone()),
                None => server_address::parse(DEFAULT_SERVER)
                    .map_err(|message| Error::Usage { message, hint: None }),
            },
        }
    }

    /// Who this client is to be and how it gets its tokens.
    pub(crate) fn profile(&self) -> Result<Profile, String> {
        let profile = self.sign_in.profile(self.protocol.clone().unwrap_or_default())?;
        Ok(Profile { answer_timeout: AnswerTimeout(self.answer_timeout), ..profile })
    }
}

/// What the environment says; nothing else in the client reads it.
#[derive(Clone, Debug, Args)]
pub(crate) struct Environment {
    /// What opens addresses, instead of the desktop's own program
    #[arg(long, global = true, value_name = "PROGRAM", env = "BROWSER")]
    browser: Option<PathBuf>,
    /// Do not colour words
    #[arg(long, global = true, env = "NO_COLOR", hide = true)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "1")]
    no_color: Option<String>,
    #[arg(long, env = "XDG_STATE_HOME", hide = true)]
    xdg_state_home: Option<PathBuf>,
    #[arg(long, env = "HOME", hide = true)]
    home: Option<PathBuf>,
}

impl Environment {
    /// The state directory for people who name none: `$XDG_STATE_HOME/portcullis`, else
    /// `~/.local/state/portcullis` (XDG Base Directory Specification).
    pub(crate) fn state_directory(&self) -> Option<PathBuf> {
        // The specification says that a relative path must be ignored.
        let state_home = self.xdg_state_home.clone().filter(|path| path.is_absolute());
        let state_home = state_home.or_else(|| Some(self.home.as_ref()?.join(".local/state")))?;
        Some(state_home.join("portcullis"))
    }

    /// The program that opens addresses, if one is named.
    pub(crate) fn browser(&self) -> Option<PathBuf> {
        self.browser.clone().filter(|program| !program.as_os_str().is_empty())
    }

    /// Whether the person forbade colour (no-color.org: set, and not to nothing).
    pub(crate) fn forbids_colour(&self) -> bool {
        self.no_color.as_ref().is_some_and(|value| !value.is_empty())
    }
}

/// An address if it looks like one, else a name.
fn server_choice(text: &str) -> Result<ServerChoice, String> {
    if text.contains([':', '/']) {
        server_address::parse(text).map(ServerChoice::Address)
    } else {
        Ok(ServerChoice::Name(text.to_owned()))
    }
}

fn protocol(text: &str) -> Result<Protocol, String> {
    let known = ProtocolVersion::KNOWN_VERSIONS.iter().find(|version| version.as_str() == text);
    known.cloned().map(Protocol::Only).ok_or_else(|| {
        let known = ProtocolVersion::KNOWN_VERSIONS.iter().map(ProtocolVersion::as_str);
        format!("this client knows {}", known.collect::<Vec<_>>().join(", "))
    })
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
        _ => Err("give a whole number of seconds from 1 to 86400".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_server_is_meant_by_address_or_by_name() {
        let address = Url::parse("http://localhost:1/mcp").expect("a URL");
        assert_eq!(server_choice("http://localhost:1/mcp"), Ok(ServerChoice::Address(address)));
        assert_eq!(server_choice("work"), Ok(ServerChoice::Name("work".to_owned())));
        assert!(server_choice("mcp.example.com/mcp").is_err());
    }

    #[test]
    fn flags_may_follow_the_arguments_of_a_call() {
        let cli = Cli::try_parse_from(["client", "call", "echo", "message=ping pong", "--json"])
            .expect("parsed");
        assert!(cli.options.json);
    }

    #[test]
    fn a_relative_state_home_is_ignored() {
        let environment = Environment {
            browser: None,
            no_color: None,
            xdg_state_home: Some("state".into()),
            home: Some("/home/nick".into()),
        };
        let directory = environment.state_directory();
        assert_eq!(directory, Some("/home/nick/.local/state/portcullis".into()));
    }
}
