//! What the client can do, the same from the command line and from the prompt.

use crate::{
    arguments::Given,
    cli::command::{Command, Doctor, SkillCommand},
    error::Error,
    session::client::Client,
};

pub mod call;
pub mod completions;
pub mod doctor;
pub mod help;
pub mod interactive;
pub mod login;
pub mod logout;
pub mod presentation;
pub mod prompts;
pub mod resources;
pub mod servers;
pub mod skills;
pub mod status;
pub mod tools;

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Call a tool.
    Call {
        /// The tool's name.
        tool: String,
        /// Its arguments, as given.
        given: Given,
    },
    /// List the tools.
    Tools,
    /// Sign in.
    Login,
    /// Sign out.
    Logout,
    /// Tell who is signed in.
    Status,
    /// Examine the authorization of a server.
    Doctor(Doctor),
    /// List the resources.
    Resources,
    /// Read a resource.
    Read {
        /// Its URI.
        uri: String,
    },
    /// List the prompts.
    Prompts,
    /// Fill in a prompt.
    Prompt {
        /// Its name.
        name: String,
        /// Its arguments, like key=value.
        given: Given,
    },
    /// Do something with skills.
    Skills(SkillCommand),
    /// Do something with the names of servers, as the words say.
    Servers(Vec<String>),
    /// Explain the prompt.
    Help,
    /// Leave the prompt.
    Quit,
}

impl Task {
    /// What a command asks of a server; `None` for one that needs none.
    pub fn from_command(command: Command) -> Option<Self> {
        Some(match command {
            Command::Call { tool, arguments } => {
                Self::Call { tool, given: Given::from_words(arguments) }
            }
            Command::Tools => Self::Tools,
            Command::Login => Self::Login,
            Command::Logout => Self::Logout,
            Command::Status => Self::Status,
            Command::Doctor(doctor) => Self::Doctor(doctor),
            Command::Resources => Self::Resources,
            Command::Read { uri } => Self::Read { uri },
            Command::Prompts => Self::Prompts,
            Command::Prompt { name, arguments } => {
                Self::Prompt { name, given: Given::from_words(arguments) }
            }
            Command::Skills { command } => Self::Skills(command.unwrap_or(SkillCommand::List)),
            Command::Servers(_) | Command::Completions { .. } => return None,
        })
    }

    /// What a line of the prompt asks for; `None` if it is blank. A word of the prompt's own is one
    /// only when what it takes follows, so that a tool of the same name can be called with text.
    pub fn from_line(line: &str) -> Option<Self> {
        let line = line.trim();
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim_start();
        Some(match (word, rest) {
            ("", _) => return None,
            ("tools", "") => Self::Tools,
            ("login", "") => Self::Login,
            ("logout", "") => Self::Logout,
            ("status", "") => Self::Status,
            ("doctor", "") => Self::Doctor(Doctor::default()),
            ("resources", "") => Self::Resources,
            ("prompts", "") => Self::Prompts,
            ("read", uri) if !uri.is_empty() => Self::Read { uri: uri.to_owned() },
            ("prompt", rest) if !rest.is_empty() => Self::prompt(rest),
            ("servers" | "list", "") => Self::Servers(vec!["list".to_owned()]),
            ("use" | "remove", name) if is_one_word(name) => Self::Servers(words(line)),
            ("add", rest) if rest.contains("://") && !rest.contains('=') => {
                Self::Servers(words(line))
            }
            ("skills", "") => Self::Skills(SkillCommand::List),
            ("skills", rest) => Self::skills(rest).unwrap_or_else(|| Self::call(line)),
            ("help" | "?", "") => Self::Help,
            ("quit" | "exit", "") => Self::Quit,
            ("call", rest) if !rest.is_empty() => Self::call(rest),
            _ => Self::call(line),
        })
    }

    fn prompt(line: &str) -> Self {
        let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        Self::Prompt { name: name.to_owned(), given: Given::from_line(rest.trim_start()) }
    }

    fn skills(rest: &str) -> Option<Self> {
        let words = words(rest);
        let name = words.get(1).cloned();
        Some(Self::Skills(match (words.first()?.as_str(), name, words.len()) {
            ("list", None, _) => SkillCommand::List,
            ("show", Some(name), 2) => SkillCommand::Show { name },
            ("save", Some(name), 2) => SkillCommand::Save { name },
            ("verify", name, 1 | 2) => SkillCommand::Verify { name },
            _ => return None,
        }))
    }

    fn call(line: &str) -> Self {
        let (tool, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        Self::Call { tool: tool.to_owned(), given: Given::from_line(rest.trim_start()) }
    }
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

fn is_one_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_whitespace)
}

/// Does `task`.
///
/// # Errors
/// [`Error`] when it was not done, or when the tool reported an error.
pub async fn perform(client: &mut Client, task: Task) -> Result<(), Error> {
    match task {
        Task::Call { tool, given } => call::run(client, &tool, &given).await,
        Task::Tools => tools::run(client).await,
        Task::Login => login::run(client).await,
        Task::Logout => logout::run(client).await,
        Task::Status => status::run(client),
        Task::Doctor(doctor) => doctor::run(client, &doctor).await,
        Task::Resources => resources::run(client).await,
        Task::Read { uri } => resources::read(client, &uri).await,
        Task::Prompts => prompts::run(client).await,
        Task::Prompt { name, given } => prompts::get(client, &name, &given).await,
        Task::Skills(command) => skills::run(client, &command).await,
        Task::Servers(words) => servers::run_typed(client, &words).await,
        Task::Help => help::run(client),
        Task::Quit => Ok(()),
    }
}

/// Runs `work` until it is done or Ctrl-C is pressed. A request that is dropped so is cancelled at
/// the server.
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
        Some(Task::Call { tool: tool.to_owned(), given: Given::from_line(rest) })
    }

    #[test]
    fn the_first_word_is_a_tool_unless_it_is_the_prompts_own() {
        assert_eq!(Task::from_line("  echo  ping  pong "), call("echo", "ping  pong"));
        assert_eq!(Task::from_line("tools"), Some(Task::Tools));
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
        let skills = |command| Some(Task::Skills(command));
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
