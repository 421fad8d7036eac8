//! A line of the prompt, which has the grammar of the command line.

use clap::{ArgAction, CommandFactory as _, Parser, error::ErrorKind};

use crate::{
    arguments::RawArguments,
    cli::{command::Command, usage::usage_error},
    error::Error,
};

/// What a line of the prompt asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A command that is spelled as on the command line.
    Command {
        command: Command,
        /// Whether a sign-in that it needs is done on another device.
        by_device: bool,
    },
    /// A call of a tool; its arguments keep their spacing.
    Call {
        tool: String,
        arguments: RawArguments,
    },
    /// The help of a command, which is known already.
    Help(String),
    /// How the prompt is used, or what the named command or tool does.
    Explain(Option<String>),
    Quit,
}

/// A line as clap parses it.
#[derive(Debug, Parser)]
#[command(no_binary_name = true, disable_help_flag = true, disable_help_subcommand = true)]
struct Typed {
    /// Print help
    #[arg(short, long, global = true, action = ArgAction::HelpShort)]
    help: Option<bool>,
    #[command(subcommand)]
    command: Command,
    /// Sign in with a browser on another device
    #[arg(long, global = true)]
    device: bool,
}

/// A command of the prompt.
pub(crate) struct Known {
    pub(crate) name: String,
    pub(crate) about: String,
    /// The words that may follow it, as far as they are known without a server.
    pub(crate) takes: Vec<(String, String)>,
}

impl Line {
    /// Parses a line; `None` if it is blank. A line whose first word is a command is never a call
    /// of a tool: `call` calls a tool of that name.
    pub(crate) fn parse(line: &str) -> Result<Option<Self>, Error> {
        let line = line.trim();
        let (word, rest) = split_word(line);
        Ok(Some(match (word, rest) {
            ("", _) => return Ok(None),
            ("quit" | "exit", "") => Self::Quit,
            ("quit" | "exit", _) => return Err(surplus(word)),
            ("help" | "?", "") => Self::Explain(None),
            ("help" | "?", about) if split_word(about).1.is_empty() => {
                Self::Explain(Some(about.to_owned()))
            }
            ("help" | "?", _) => return Err(surplus("help NAME")),
            ("call", rest) if !rest.is_empty() && !rest.starts_with('-') => Self::call(rest),
            _ if is_command(word) => return Self::typed(line).map(Some),
            _ => Self::call(line),
        }))
    }

    fn call(line: &str) -> Self {
        let (tool, rest) = split_word(line);
        Self::Call { tool: tool.to_owned(), arguments: RawArguments::from_line(rest) }
    }

    fn typed(line: &str) -> Result<Self, Error> {
        let words = RawArguments::from_line(line);
        let words = words.words().ok_or_else(|| Error::Usage {
            message: "a quote is not closed".to_owned(),
            hint: None,
        })?;
        match Typed::try_parse_from(words) {
            Ok(Typed { command, device, .. }) => Ok(Self::Command { command, by_device: device }),
            Err(error) if error.kind() == ErrorKind::DisplayHelp => {
                Ok(Self::Help(error.render().to_string()))
            }
            Err(error) => Err(usage_error(&error)),
        }
    }
}

/// The help of the command called `name`, if there is one.
pub(crate) fn command_help(name: &str) -> Option<String> {
    is_command(name).then_some(())?;
    let help = Typed::try_parse_from([name, "--help"]).err()?;
    Some(help.render().to_string().trim_end().to_owned())
}

/// Every command of the prompt.
pub(crate) fn commands() -> Vec<Known> {
    let mut typed = Typed::command();
    typed.build();
    let mut known: Vec<_> =
        typed.get_subcommands().filter(|command| !command.is_hide_set()).map(Known::new).collect();
    let own = [("help", "Explain the prompt, a command or a tool"), ("quit", "Leave")];
    known.extend(own.map(|(name, about)| Known {
        name: name.to_owned(),
        about: about.to_owned(),
        takes: Vec::new(),
    }));
    known
}

impl Known {
    fn new(command: &clap::Command) -> Self {
        let about = |text: Option<&clap::builder::StyledStr>| {
            text.map(ToString::to_string).unwrap_or_default()
        };
        let words = command.get_subcommands();
        let words = words.filter(|word| word.get_name() != "help");
        let words = words.map(|word| (word.get_name().to_owned(), about(word.get_about())));
        let flags = command.get_arguments().filter(|flag| flag.get_id() != "help");
        let flags = flags.filter(|flag| !flag.is_global_set() || may_sign_in(command.get_name()));
        let flags = flags
            .filter_map(|flag| Some((format!("--{}", flag.get_long()?), about(flag.get_help()))));
        Self {
            name: command.get_name().to_owned(),
            about: about(command.get_about()),
            takes: words.chain(flags).collect(),
        }
    }
}

/// Whether `--device` is worth offering after the command.
fn may_sign_in(command: &str) -> bool {
    command == "login"
}

/// Whether `word` is a command. Hidden ones are for other programs, so a tool may be called so.
fn is_command(word: &str) -> bool {
    Typed::command().find_subcommand(word).is_some_and(|command| !command.is_hide_set())
}

fn surplus(usage: &str) -> Error {
    let message = format!("nothing may follow `{usage}`");
    Error::Usage { message, hint: Some("a tool of that name is called by `call NAME`".to_owned()) }
}

fn split_word(line: &str) -> (&str, &str) {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    (word, rest.trim_start())
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::cli::command::{Doctor, ServerCommand, SkillCommand};

    fn parse(line: &str) -> Option<Line> {
        Line::parse(line).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    fn call(tool: &str, rest: &str) -> Option<Line> {
        let arguments = RawArguments::from_line(rest);
        Some(Line::Call { tool: tool.to_owned(), arguments })
    }

    fn command(command: Command) -> Option<Line> {
        Some(Line::Command { command, by_device: false })
    }

    #[test]
    fn the_first_word_is_a_tool_unless_it_is_a_command() {
        assert_eq!(parse("  echo  ping  pong "), call("echo", "ping  pong"));
        assert_eq!(parse("echo one\ntwo"), call("echo", "one\ntwo"));
        assert_eq!(parse("tools"), command(Command::Tools { name: None }));
        assert_eq!(parse("   "), None);
    }

    #[test]
    fn commands_are_spelled_as_on_the_command_line() {
        let url = || Url::parse("https://mcp.example.com/mcp").expect("a URL");
        let servers = |one| command(Command::Servers(one));
        assert_eq!(parse("servers"), servers(ServerCommand::List));
        assert_eq!(parse("list"), servers(ServerCommand::List));
        assert_eq!(parse("use  work"), servers(ServerCommand::Use { name: "work".to_owned() }));
        let add = ServerCommand::Add { name: "work".to_owned(), address: url() };
        assert_eq!(parse("add work https://mcp.example.com/mcp"), servers(add));
        let tools = Command::Tools { name: Some("echo".to_owned()) };
        assert_eq!(parse("tools echo"), command(tools));
        let doctor = Doctor { server_url: Some(url()), strict: true, ..Doctor::default() };
        assert_eq!(
            parse("doctor https://mcp.example.com/mcp --strict"),
            command(Command::Doctor(doctor))
        );
        let by_device = Line::Command { command: Command::Login, by_device: true };
        assert_eq!(parse("login --device"), Some(by_device));
        let show = SkillCommand::Show { name: "a b".to_owned() };
        assert_eq!(parse("skills show 'a b'"), command(Command::Skills { command: Some(show) }));
        assert_eq!(parse("help echo"), Some(Line::Explain(Some("echo".to_owned()))));
        assert!(matches!(parse("read --help"), Some(Line::Help(help)) if help.contains("<URI>")));
    }

    #[test]
    fn a_command_with_a_wrong_tail_is_an_error_and_never_a_call() {
        for line in [
            "tools echo now",
            "tools --wrong",
            "login now",
            "logout now",
            "status now",
            "doctor here",
            "resources now",
            "read",
            "read one two",
            "prompts now",
            "prompt",
            "skills are good",
            "skills show",
            "servers now",
            "list now",
            "use",
            "use the force",
            "add 1 2",
            "add work",
            "remove",
            "remove two names",
            "completions",
            "completions now",
            "call",
            "call --wrong",
            "help me now",
            "quit now",
            "exit now",
            "add 'work https://mcp.example.com/mcp",
        ] {
            let parsed = Line::parse(line);
            let Err(Error::Usage { message, .. }) = parsed else { panic!("{line}: {parsed:?}") };
            assert!(!message.contains(['\n', '\u{1b}']), "{line}: {message}");
        }
    }

    #[test]
    fn every_command_has_a_line_in_the_test_above() {
        // A new command is a new word that no tool can have at the prompt.
        let names: Vec<_> = commands().into_iter().map(|known| known.name).collect();
        let expected = [
            "call",
            "tools",
            "login",
            "logout",
            "status",
            "doctor",
            "resources",
            "read",
            "prompts",
            "prompt",
            "skills",
            "add",
            "use",
            "list",
            "remove",
            "completions",
            "help",
            "quit",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn a_tool_named_like_a_command_can_be_called() {
        assert_eq!(parse("call status"), call("status", ""));
        assert_eq!(parse("call help me"), call("help", "me"));
    }
}
