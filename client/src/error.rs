//! Why a command failed: a sentence, a hint, a code and an exit status.

use std::io;

use crate::{
    arguments::ArgumentError,
    credentials::CredentialsError,
    exit::Exit,
    http::FetchError,
    oauth::OAuthError,
    terminal::output::{Output, OutputError},
};

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line or a line of the prompt is wrong.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to type instead.
        hint: Option<String>,
    },
    /// The server has no such tool.
    #[error("{server} has no tool `{name}`")]
    UnknownTool {
        /// What was typed.
        name: String,
        /// The server's address.
        server: String,
        /// The name that was probably meant, or those that exist.
        hint: String,
    },
    /// The arguments do not fit the tool's schema.
    #[error(transparent)]
    Arguments(#[from] ArgumentError),
    /// A server could not be reached or answered with something unusable.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A step of the sign-in failed.
    #[error(transparent)]
    OAuth(#[from] OAuthError),
    /// A sign-in is needed and `--no-input` forbids it, or `status` found no grant.
    #[error("not signed in to {server}")]
    SignedOut {
        /// The server's address.
        server: String,
    },
    /// The tool ran and reported an error; its text is already on stdout.
    #[error("`{tool}` reported an error")]
    ToolFailed {
        /// The tool's name.
        tool: String,
    },
    /// The token is valid but does not allow this.
    #[error("{server} does not allow this{}", why_forbidden(.scope, .words))]
    Forbidden {
        /// The server's address.
        server: String,
        /// The scopes the server asked for, if it named any.
        scope: String,
        /// What the server says about it, if anything.
        words: String,
    },
    /// The MCP server answered with a JSON-RPC error.
    #[error("{server} answered with error {code}: {message}")]
    Server {
        /// The server's address.
        server: String,
        /// The JSON-RPC error code.
        code: i32,
        /// The server's own words.
        message: String,
    },
    /// The server is reachable but does not speak MCP as this client knows it.
    #[error("{server} does not answer as an MCP server does: {reason}")]
    NotMcp {
        /// The server's address.
        server: String,
        /// What was odd.
        reason: String,
    },
    /// The server speaks MCP, but this answer cannot be used.
    #[error("{server} gave an answer that cannot be used: {reason}")]
    UnusableAnswer {
        /// The server's address.
        server: String,
        /// What was odd.
        reason: String,
    },
    /// The server took a request and did not answer it.
    #[error("{server} has not answered for {seconds} seconds; the request was given up")]
    Unanswered {
        /// The server's address.
        server: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// A skill is not what the server's list promises.
    #[error("the skill {uri} was not loaded: {reason}")]
    Skill {
        /// The skill.
        uri: String,
        /// What differs.
        reason: String,
    },
    /// An image or other data could not be written; the text is already on stdout.
    #[error("something of the answer could not be kept in a file: {0}")]
    NotKept(io::Error),
    /// The kept credentials cannot be read or written.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The names of servers cannot be read or written.
    #[error("cannot keep the names of servers: {0}")]
    Servers(io::Error),
    /// The result cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// stdin or the terminal could not be read.
    #[error("cannot read what is typed: {0}")]
    Input(io::Error),
    /// Ctrl-C.
    #[error("stopped by Ctrl-C")]
    Interrupted,
    /// Something failed earlier and has been reported.
    #[error("not everything succeeded")]
    AlreadyTold(Exit),
}

impl Error {
    /// The exit status of the process.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage { .. } | Self::UnknownTool { .. } | Self::Arguments(_) => Exit::Usage,
            Self::Fetch(error) => error.exit(),
            Self::OAuth(error) => error.exit(),
            Self::SignedOut { .. } => Exit::SignIn,
            Self::ToolFailed { .. } => Exit::ToolFailed,
            Self::Forbidden { .. } => Exit::Forbidden,
            Self::Unanswered { .. } => Exit::Unreachable,
            Self::Interrupted => Exit::Interrupted,
            Self::AlreadyTold(exit) => *exit,
            Self::Server { .. }
            | Self::NotMcp { .. }
            | Self::UnusableAnswer { .. }
            | Self::Skill { .. }
            | Self::NotKept(_)
            | Self::Credentials(_)
            | Self::Servers(_)
            | Self::Output(_)
            | Self::Input(_) => Exit::Failure,
        }
    }

    /// A stable name for programs, the `code` of the JSON form.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Usage { .. } => "usage",
            Self::UnknownTool { .. } => "unknown_tool",
            Self::Arguments(_) => "invalid_arguments",
            Self::Fetch(error) => error.code(),
            Self::OAuth(error) => error.code(),
            Self::SignedOut { .. } => "sign_in_needed",
            Self::ToolFailed { .. } => "tool_error",
            Self::Forbidden { .. } => "forbidden",
            Self::Server { .. } => "server_error",
            Self::NotMcp { .. } => "not_an_mcp_server",
            Self::UnusableAnswer { .. } => "unusable_answer",
            Self::Unanswered { .. } => "unreachable",
            Self::Skill { .. } => "skill_refused",
            Self::NotKept(_) => "not_kept",
            Self::Credentials(_) => "credentials",
            Self::Servers(_) => "servers",
            Self::Output(_) => "output",
            Self::Input(_) => "input",
            Self::Interrupted => "interrupted",
            Self::AlreadyTold(_) => "failed",
        }
    }

    /// What to do next, if that is known.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Usage { hint, .. } => hint.clone(),
            Self::UnknownTool { hint, .. } => Some(hint.clone()),
            Self::Arguments(error) => Some(error.hint()),
            Self::Fetch(error) => error.hint(),
            Self::OAuth(error) => error.hint(),
            Self::SignedOut { server } => {
                Some(format!("sign in with `client login --server {server}`"))
            }
            Self::Forbidden { .. } => Some(
                "ask whoever runs the server for access, or sign in as somebody else: \
                 `client logout`, then `client login`"
                    .to_owned(),
            ),
            Self::NotMcp { .. } => Some("check the address; it usually ends in /mcp".to_owned()),
            Self::UnusableAnswer { .. } => {
                Some("this is for whoever runs the server to correct".to_owned())
            }
            Self::Unanswered { .. } => {
                Some("if it needs longer, allow that with `--answer-timeout SECONDS`".to_owned())
            }
            Self::Credentials(error) => error.hint(),
            Self::NotKept(_) => Some("name another directory with `--save-to`".to_owned()),
            Self::ToolFailed { .. }
            | Self::Server { .. }
            | Self::Skill { .. }
            | Self::Servers(_)
            | Self::Output(_)
            | Self::Input(_)
            | Self::Interrupted
            | Self::AlreadyTold(_) => None,
        }
    }

    /// Writes the error and its hint to `output`, unless it has been reported or the reader of
    /// stdout has gone, as `head` does.
    pub(crate) fn report(&self, output: &Output) {
        if matches!(self, Self::Output(OutputError::Closed) | Self::AlreadyTold(_)) {
            return;
        }
        if matches!(self, Self::Interrupted) {
            output.leave_typed_line();
        }
        output.failure(self.code(), &self.to_string(), self.hint().as_deref());
    }
}

fn why_forbidden(scope: &str, words: &str) -> String {
    match (scope, words) {
        ("", "") => String::new(),
        ("", words) => format!(": {words}"),
        (scope, _) => format!("; it needs the scope {scope}"),
    }
}
