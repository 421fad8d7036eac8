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
#[expect(missing_docs, reason = "the message of each variant says what it and its fields mean")]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line or a line of the prompt is wrong.
    #[error("{message}")]
    Usage { message: String, hint: Option<String> },
    #[error("{server} has no tool `{name}`")]
    UnknownTool { name: String, server: String, hint: String },
    #[error(transparent)]
    Arguments(#[from] ArgumentError),
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    OAuth(#[from] OAuthError),
    /// A sign-in is needed and `--no-input` forbids it, or `status` found no grant.
    #[error("not signed in to {server}")]
    SignedOut { server: String },
    /// `status` found a grant that leads to no token any more. The text says when it ended.
    #[error("the sign-in to {server} has ended{when}")]
    SignInEnded { server: String, when: String },
    /// The tool ran and reported an error; its text is already on stdout.
    #[error("`{tool}` reported an error")]
    ToolFailed { tool: String },
    /// The token is valid but insufficient. Either text may be empty: the scopes that the server
    /// asked for, and its own words.
    #[error("{server} does not allow this{}", why_forbidden(.scope, .words))]
    Forbidden { server: String, scope: String, words: String },
    /// The MCP server answered with a JSON-RPC error.
    #[error("{server} answered with error {code}: {message}")]
    Server { server: String, code: i32, message: String },
    #[error("{server} does not answer as an MCP server does: {reason}")]
    NotMcp { server: String, reason: String },
    /// The server speaks MCP, but this answer cannot be used.
    #[error("{server} gave an answer that cannot be used: {reason}")]
    UnusableAnswer { server: String, reason: String },
    #[error("{server} has not answered for {seconds} seconds; the request was given up")]
    Unanswered { server: String, seconds: u64 },
    /// A skill is not what the server's list promises.
    #[error("the skill {uri} was not loaded: {reason}")]
    Skill { uri: String, reason: String },
    /// An image or other data could not be written; the text is already on stdout.
    #[error("part of the answer could not be written to a file: {0}")]
    NotKept(io::Error),
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    #[error("cannot read or write the names of servers: {0}")]
    Servers(io::Error),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error("cannot read what is typed: {0}")]
    Input(io::Error),
    #[error("stopped by Ctrl-C")]
    Interrupted,
    #[error("something failed earlier and has been reported")]
    AlreadyTold(Exit),
}

impl Error {
    /// The exit status of the process.
    pub(crate) fn exit(&self) -> Exit {
        self.kind().0
    }

    /// The exit status, and a stable name for programs: the `code` of the JSON form.
    fn kind(&self) -> (Exit, &'static str) {
        match self {
            Self::Usage { .. } => (Exit::Usage, "usage"),
            Self::UnknownTool { .. } => (Exit::Usage, "unknown_tool"),
            Self::Arguments(_) => (Exit::Usage, "invalid_arguments"),
            Self::Fetch(error) => error.kind(),
            Self::OAuth(error) => (error.exit(), error.code()),
            Self::SignedOut { .. } | Self::SignInEnded { .. } => (Exit::SignIn, "sign_in_needed"),
            Self::ToolFailed { .. } => (Exit::ToolFailed, "tool_error"),
            Self::Forbidden { .. } => (Exit::Forbidden, "forbidden"),
            Self::Server { .. } => (Exit::Failure, "server_error"),
            Self::NotMcp { .. } => (Exit::Failure, "not_an_mcp_server"),
            Self::UnusableAnswer { .. } => (Exit::Failure, "unusable_answer"),
            Self::Unanswered { .. } => (Exit::Unreachable, "unreachable"),
            Self::Skill { .. } => (Exit::Failure, "skill_refused"),
            Self::NotKept(_) => (Exit::Failure, "not_kept"),
            Self::Credentials(_) => (Exit::Failure, "credentials"),
            Self::Servers(_) => (Exit::Failure, "servers"),
            Self::Output(_) => (Exit::Failure, "output"),
            Self::Input(_) => (Exit::Failure, "input"),
            Self::Interrupted => (Exit::Interrupted, "interrupted"),
            Self::AlreadyTold(exit) => (*exit, "failed"),
        }
    }

    /// What to do next, if that is known.
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Usage { hint, .. } => return hint.clone(),
            Self::UnknownTool { hint, .. } => hint,
            Self::Arguments(error) => return Some(error.hint()),
            Self::Fetch(error) => return error.hint(),
            Self::OAuth(error) => return error.hint(),
            Self::Credentials(error) => return Some(error.hint()),
            Self::SignedOut { server } | Self::SignInEnded { server, .. } => {
                return Some(format!("sign in with `client login --server {server}`"));
            }
            Self::Forbidden { .. } => {
                "ask the operator of the server for access, or sign in as another user: \
                 `client logout`, then `client login`"
            }
            Self::NotMcp { .. } => "check the address; it usually ends in /mcp",
            Self::UnusableAnswer { .. } => "only the operator of the server can correct this",
            Self::Unanswered { .. } => {
                "if it needs longer, allow that with `--answer-timeout SECONDS`"
            }
            Self::NotKept(_) => "name another directory with `--save-to`",
            Self::ToolFailed { .. }
            | Self::Server { .. }
            | Self::Skill { .. }
            | Self::Servers(_)
            | Self::Output(_)
            | Self::Input(_)
            | Self::Interrupted
            | Self::AlreadyTold(_) => return None,
        };
        Some(hint.to_owned())
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
        output.failure(self.kind().1, &self.to_string(), self.hint().as_deref());
    }
}

fn why_forbidden(scope: &str, words: &str) -> String {
    match (scope, words) {
        ("", "") => String::new(),
        ("", words) => format!(": {words}"),
        (scope, _) => format!("; it needs the scope {scope}"),
    }
}
