//! What the client can do, the same from the command line and from the prompt.

use crate::{
    arguments::RawArguments,
    cli::command::{Command, Doctor, SkillCommand},
    error::Error,
    session::client::Client,
};

mod call;
pub(crate) mod completions;
mod doctor;
mod help;
pub(crate) mod interactive;
mod login;
mod logout;
mod presentation;
mod prompts;
mod resources;
pub(crate) mod servers;
pub(crate) mod skills;
mod status;
mod tools;

/// What a line of the prompt asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// A command that is spelled as on the command line.
    Command(Command),
    /// A call of a tool; its arguments keep their spacing.
    Call {
        tool: String,
        arguments: RawArguments,
    },
    /// A prompt of the server to fill in.
    Prompt {
        name: String,
        arguments: RawArguments,
    },
    /// The words of `add`, `use`, `list` or `remove`, which may be wrong.
    Servers(Vec<String>),
    Help,
    Quit,
}

impl Task {
    /// Parses a line of the prompt; `None` if it is blank. A word of the prompt only counts as one
    /// if its operands follow, so that a tool of the same name can be called with text.
    pub(crate) fn from_line(line: &str) -> Option<Self> {
        let line = line.trim();
        let (word, rest) = split_word(line);
        Some(match (word, rest) {
            ("", _) => return None,
            ("tools", "") => Self::Command(Command::Tools),
            ("login", "") => Self::Command(Command::Login),
            ("logout", "") => Self::Command(Command::Logout),
            ("status", "") => Self::Command(Command::Status),
            ("doctor", "") => Self::Command(Command::Doctor(Doctor::default())),
            ("resources", "") => Self::Command(Command::Resources),
            ("prompts", "") => Self::Command(Command::Prompts),
            ("read", uri) if !uri.is_empty() => {
                Self::Command(Command::Read { uri: uri.to_owned() })
            }
            ("prompt", rest) if !rest.is_empty() => {
                let (name, rest) = split_word(rest);
                let arguments = RawArguments::from_line(rest);
                Self::Prompt { name: name.to_owned(), arguments }
            }
            ("servers" | "list", "") => Self::Servers(vec!["list".to_owned()]),
            ("use" | "remove", name) if is_one_word(name) => Self::Servers(words(line)),
            ("add", rest) if rest.contains("://") && !rest.contains('=') => {
                Self::Servers(words(line))
            }
            ("skills", rest) => match skill_command(rest) {
                Some(command) => Self::Command(Command::Skills { command: Some(command) }),
                None => Self::call(line),
            },
            ("help" | "?", "") => Self::Help,
            ("quit" | "exit", "") => Self::Quit,
            ("call", rest) if !rest.is_empty() => Self::call(rest),
            _ => Self::call(line),
        })
    }

    fn call(line: &str) -> Self {
        let (tool, rest) = split_word(line);
        Self::Call { tool: tool.to_owned(), arguments: RawArguments::from_line(rest) }
    }
}

fn skill_command(rest: &str) -> Option<SkillCommand> {
    let words = words(rest);
    let name = words.get(1).cloned();
    match (words.first().map(String::as_str), name, words.len()) {
        (None, ..) | (Some("list"), None, _) => Some(SkillCommand::List),
        (Some("show"), Some(name), 2) => Some(SkillCommand::Show { name }),
        (Some("save"), Some(name), 2) => Some(SkillCommand::Save { name }),
        (Some("verify"), name, 1 | 2) => Some(SkillCommand::Verify { name }),
        _ => None,
    }
}

fn split_word(line: &str) -> (&str, &str) {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    (word, rest.trim_start())
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

fn is_one_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_whitespace)
}

/// Does what a line of the prompt asks for, and prints the result.
pub(crate) async fn perform(client: &mut Client, task: Task) -> Result<(), Error> {
    match task {
        Task::Command(command) => run(client, command).await,
        Task::Call { tool, arguments } => call::run(client, &tool, arguments).await,
        Task::Prompt { name, arguments } => prompts::get(client, &name, &arguments).await,
        Task::Servers(words) => servers::run_typed(client, &words).await,
        Task::Help => help::run(client),
        Task::Quit => Ok(()),
    }
}

/// Runs a command and prints its result.
pub(crate) async fn run(client: &mut Client, command: Command) -> Result<(), Error> {
    match command {
        Command::Call { tool, arguments } => {
            call::run(client, &tool, RawArguments::from_words(arguments)).await
        }
        Command::Tools => tools::run(client).await,
        Command::Login => login::run(client).await,
        Command::Logout => logout::run(client).await,
        Command::Status => status::run(client),
        Command::Doctor(doctor) => doctor::run(client, &doctor).await,
        Command::Resources => resources::run(client).await,
        Command::Read { uri } => resources::read(client, &uri).await,
        Command::Prompts => prompts::run(client).await,
        Command::Prompt { name, arguments } => {
            prompts::get(client, &name, &RawArguments::from_words(arguments)).await
        }
        Command::Skills { command } => {
            skills::run(client, &command.unwrap_or(SkillCommand::List)).await
        }
        Command::Servers(command) => servers::run_and_switch(client, &command).await,
        Command::Completions { shell } => completions::run(shell, &client.output),
    }
}

/// Runs `work` until it is done or the user presses Ctrl-C. Dropping a request cancels it at the
/// server.
pub(crate) async fn stoppable<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::select! {
        outcome = work => outcome,
        stopped = tokio::signal::ctrl_c() => match stopped {
            Ok(()) => Err(Error::Interrupted),
            Err(error) => Err(Error::Input(error)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(tool: &str, rest: &str) -> Option<Task> {
        let arguments = RawArguments::from_line(rest);
        Some(Task::Call { tool: tool.to_owned(), arguments })
    }

    #[test]
    fn the_first_word_is_a_tool_unless_it_is_the_prompts_own() {
        assert_eq!(Task::from_line("  echo  ping  pong "), call("echo", "ping  pong"));
        assert_eq!(Task::from_line("tools"), Some(Task::Command(Command::Tools)));
        assert_eq!(Task::from_line("   "), None);
    }

    #[test]
    fn names_of_servers_and_skills_can_be_typed() {
        let servers = |words: &[&str]| {
            Some(Task::Servers(words.iter().map(|word| (*word).to_owned()).collect()))
        };
        assert_eq!(Task::from_line("servers"), servers(&["list"]));
        assert_eq!(Task::from_line("use  work"), servers(&["use", "work"]));
        let add = "add work https://mcp.example.com/mcp";
        assert_eq!(Task::from_line(add), servers(&["add", "work", "https://mcp.example.com/mcp"]));
        assert_eq!(Task::from_line("add 1 2"), call("add", "1 2"));
        assert_eq!(Task::from_line("use the force"), call("use", "the force"));
        let pdf = || "pdf".to_owned();
        let skills = |command| Some(Task::Command(Command::Skills { command: Some(command) }));
        assert_eq!(Task::from_line("skills"), skills(SkillCommand::List));
        assert_eq!(Task::from_line("skills show pdf"), skills(SkillCommand::Show { name: pdf() }));
        let all = SkillCommand::Verify { name: None };
        assert_eq!(Task::from_line("skills verify"), skills(all));
        assert_eq!(Task::from_line("skills are good"), call("skills", "are good"));
    }

    #[test]
    fn a_tool_named_like_a_word_of_the_prompt_can_be_called() {
        assert_eq!(Task::from_line("call status"), call("status", ""));
        assert_eq!(Task::from_line("help me"), call("help", "me"));
        assert_eq!(Task::from_line("call"), call("call", ""));
    }
}
