//! The command line: flags, commands, and the few things the environment may say.

use std::{path::PathBuf, time::Duration};

use clap::{ArgAction, Args, Command as Grammar, CommandFactory as _, Parser};
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

use self::{
    command::Command,
    sign_in::{SIGN_IN_HEADING, SignInOptions},
};

const MORE_HELP: &str = "\
Without --server, the server is the one in use, or http://localhost:3001/mcp. Without a command a \
prompt opens, where `echo ping pong` calls the tool `echo`; lines from a pipe are run one by one. \
`client login --help` has the options for signing in, `client call --help` those for calls.

Exit status: 0 done, 1 failure, 2 usage, 3 unreachable, 4 sign-in needed or refused, 5 the tool \
reported an error, 6 forbidden, 130 stopped by Ctrl-C.";

/// The flags that only the help of `login`, and those that only the help of `call`, shows. Every
/// command takes them, because each may lead to a sign-in or to a call.
const SHOWN: [(&str, &[&str]); 2] = [
    ("login", &["sign_in_timeout", "credentials_store", "explain"]),
    ("call", &["answer_timeout", "save_to", "protocol"]),
];

/// Where `make dev` puts the demo server.
const DEFAULT_SERVER: &str = "http://localhost:3001/mcp";

/// Talk to a protected MCP server: list its tools, call them, sign in.
#[derive(Debug, Parser)]
#[command(name = "client", version, after_help = MORE_HELP)]
#[command(disable_help_flag = true)]
pub(crate) struct Cli {
    /// Print help, also of one command
    #[arg(short, long, global = true, action = ArgAction::HelpShort)]
    help: Option<bool>,
    /// The environment.
    #[command(flatten)]
    pub(crate) environment: Environment,
    /// Flags. They come last, because their heading in the help would cover what follows.
    #[command(flatten)]
    pub(crate) options: Options,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

impl Cli {
    /// The command line, with help for a terminal of this width.
    pub(crate) fn grammar(columns: Option<usize>) -> Grammar {
        let grammar = Self::command().term_width(columns.unwrap_or(100).clamp(40, 120));
        SHOWN.iter().fold(grammar, |grammar, (command, flags)| {
            let shown: Vec<_> = grammar
                .get_arguments()
                .filter(|flag| {
                    let is_for_sign_in = flag.get_help_heading() == Some(SIGN_IN_HEADING);
                    flags.contains(&flag.get_id().as_str())
                        || (*command == "login" && is_for_sign_in)
                })
                .map(|flag| flag.clone().hide(false))
                .collect();
            grammar
                .mut_subcommand(command, |subcommand| subcommand.args(shown).next_line_help(false))
        })
    }
}

/// Flags that every command takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// The MCP server: its address, or the name that `add` gave it
    #[arg(long, global = true, value_name = "URL | NAME", env = "PORTCULLIS_SERVER")]
    #[arg(value_parser = server_choice, hide_env_values = true)]
    pub(crate) server: Option<ServerChoice>,
    /// Print the address to sign in at, open no browser
    #[arg(long, global = true)]
    pub(crate) no_browser: bool,
    /// Never start a sign-in; end with status 4 instead
    #[arg(long, global = true)]
    pub(crate) no_input: bool,
    /// How long to wait for the browser, in seconds
    #[arg(long, global = true, hide = true, value_name = "SECONDS", default_value = "300")]
    #[arg(value_parser = seconds)]
    pub(crate) sign_in_timeout: Duration,
    /// How long a server may be silent while it works on a request, in seconds
    #[arg(long, global = true, hide = true, value_name = "SECONDS", default_value = "300")]
    #[arg(value_parser = seconds)]
    pub(crate) answer_timeout: Duration,
    /// Where tokens and history are kept
    #[arg(long, global = true, value_name = "DIR", env = "PORTCULLIS_STATE_DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    /// Print results as JSON, errors too
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Where images and other data of an answer are kept, instead of `received` in the state
    /// directory
    #[arg(long, global = true, hide = true, value_name = "DIR")]
    pub(crate) save_to: Option<PathBuf>,
    /// Where the secrets among the tokens are kept
    #[arg(
        long,
        global = true,
        hide = true,
        value_enum,
        default_value_t,
        env = "PORTCULLIS_CREDENTIALS_STORE"
    )]
    pub(crate) credentials_store: SecretStore,
    /// Speak this revision of MCP only, like 2025-11-25, instead of the newest both sides know
    #[arg(long, global = true, hide = true, value_name = "REVISION", value_parser = protocol)]
    pub(crate) protocol: Option<Protocol>,
    /// Show each step of a sign-in, with the rule it follows; secrets stay hidden
    #[arg(long, global = true, hide = true)]
    pub(crate) explain: bool,
    /// How to sign in.
    #[command(flatten)]
    pub(crate) sign_in: SignInOptions,
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

/// What the environment says; nothing else in the client reads it, except for the home directory of
/// `doctor --config`.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Environment {
    /// What opens addresses, instead of the desktop's own program
    #[arg(long, global = true, hide = true, value_name = "PROGRAM", env = "BROWSER")]
    browser: Option<PathBuf>,
    /// Do not colour words
    #[arg(long, global = true, env = "NO_COLOR", hide = true)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "1")]
    no_color: Option<String>,
    /// What kind of terminal this is.
    #[arg(long, env = "TERM", hide = true)]
    term: Option<String>,
    #[arg(long, env = "SSH_CONNECTION", hide = true)]
    ssh_connection: Option<String>,
    #[arg(long, env = "DISPLAY", hide = true)]
    display: Option<String>,
    #[arg(long, env = "WAYLAND_DISPLAY", hide = true)]
    wayland_display: Option<String>,
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

    /// Whether the person forbade colour (no-color.org: set, and not to nothing), or the terminal
    /// knows none.
    pub(crate) fn forbids_colour(&self) -> bool {
        is_set(self.no_color.as_ref()) || self.has_dumb_terminal()
    }

    /// Whether the terminal can only be written to line by line.
    pub(crate) fn has_dumb_terminal(&self) -> bool {
        self.term.as_deref() == Some("dumb")
    }

    /// Whether a browser that is started here would be seen: not over SSH or without a display,
    /// unless the person names a program that opens addresses.
    pub(crate) fn has_display(&self) -> bool {
        let has_screen = if cfg!(target_os = "macos") {
            !is_set(self.ssh_connection.as_ref())
        } else {
            is_set(self.display.as_ref()) || is_set(self.wayland_display.as_ref())
        };
        self.browser().is_some() || has_screen
    }
}

fn is_set(variable: Option<&String>) -> bool {
    variable.is_some_and(|value| !value.is_empty())
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
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::grammar(None).debug_assert();
    }

    #[test]
    fn help_fits_a_screen_and_no_line_is_wider_than_the_terminal() {
        let help = |command: Option<&str>| {
            let mut grammar = Cli::grammar(Some(80));
            grammar.build();
            let shown = match command {
                Some(name) => grammar.find_subcommand_mut(name).expect(name).render_help(),
                None => grammar.render_help(),
            };
            shown.to_string()
        };
        let commands = Cli::grammar(None);
        let names = commands.get_subcommands().map(|command| Some(command.get_name().to_owned()));
        for name in [None].into_iter().chain(names) {
            let shown = help(name.as_deref());
            let lines = shown.lines().count();
            assert!(lines <= 45, "{name:?} has {lines} lines:\n{shown}");
            assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
            let is_login = name.as_deref() == Some("login");
            assert_eq!(shown.contains("--client-secret-file"), is_login, "{shown}");
        }
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
            xdg_state_home: Some("state".into()),
            home: Some("/home/nick".into()),
            ..Environment::default()
        };
        let directory = environment.state_directory();
        assert_eq!(directory, Some("/home/nick/.local/state/portcullis".into()));
    }

    #[test]
    fn colour_and_a_browser_need_a_terminal_and_a_display() {
        let set = |text: &str| Some(text.to_owned());
        let plain = Environment { term: set("xterm"), ..Environment::default() };
        assert!(!plain.forbids_colour() && !plain.has_display());
        assert!(Environment { no_color: set("1"), ..plain.clone() }.forbids_colour());
        assert!(!Environment { no_color: set(""), ..plain.clone() }.forbids_colour());
        assert!(Environment { term: set("dumb"), ..plain.clone() }.forbids_colour());
        assert!(Environment { wayland_display: set("wayland-0"), ..plain.clone() }.has_display());
        assert!(Environment { browser: Some("w3m".into()), ..plain }.has_display());
    }
}
