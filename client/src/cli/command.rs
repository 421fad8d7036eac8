//! The commands of the command line, and what each of them takes.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use url::Url;

use crate::http::server_address;

/// What to do; without one, lines are read.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum Command {
    /// Call a tool: `call echo ping pong`
    Call {
        /// The tool's name
        tool: String,
        /// The text that it needs, or key=value pairs: message="ping pong", filter:={"tag":"a"}
        #[arg(value_name = "TEXT | KEY=VALUE")]
        arguments: Vec<String>,
    },
    /// List the server's tools, or show one with its arguments
    Tools {
        /// The tool to show
        name: Option<String>,
    },
    /// Sign in, even if already signed in
    Login,
    /// Revoke the tokens, then forget them
    Logout,
    /// Show who is signed in, until when, and where that is kept
    Status,
    /// Examine the authorization of any MCP server
    ///
    /// Registers one client at its authorization server, or more if the server refuses something,
    /// and deletes it again where the server allows that.
    Doctor(Doctor),
    /// List the resources that the server holds
    Resources,
    /// Read a resource
    Read {
        /// Its URI, as `resources` lists it
        uri: String,
    },
    /// List the server's prompts and their arguments
    Prompts,
    /// Fill in a prompt: `prompt introduce tone=kind`
    Prompt {
        /// Its name
        name: String,
        /// Its arguments
        #[arg(value_name = "KEY=VALUE")]
        arguments: Vec<String>,
    },
    /// List the skills that the server offers, show one, or verify them
    Skills {
        /// What to do; they are listed if that is left out
        #[command(subcommand)]
        command: Option<SkillCommand>,
    },
    /// Give servers names, and choose one
    #[command(flatten)]
    Servers(ServerCommand),
    /// Write the manual pages into a directory
    #[command(hide = true)]
    Man {
        /// Where to write them
        directory: PathBuf,
    },
    /// Print a script that completes commands in your shell
    Completions {
        /// Your shell
        shell: Shell,
    },
    /// Print what the last word can become; the scripts of `completions` ask this
    #[command(hide = true)]
    Complete {
        /// The words of the command line up to the cursor, without the program
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
}

/// The shells that can be taught.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Fish,
    Zsh,
}

/// What `client doctor` takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub(crate) struct Doctor {
    /// The MCP server to examine, instead of the one of --server
    #[arg(value_name = "URL", value_parser = server_address::parse)]
    pub(crate) server_url: Option<Url>,
    /// Sign in as well, and try the tokens: refresh, reuse, audience, revocation
    #[arg(long)]
    pub(crate) sign_in: bool,
    /// End with status 1 for warnings too
    #[arg(long)]
    pub(crate) strict: bool,
    /// Show the checks that passed too, and why others could not be judged
    #[arg(long)]
    pub(crate) all: bool,
    /// How to write the report
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Fail if the server names another authorization server than this
    #[arg(long, value_name = "URL")]
    pub(crate) expect_issuer: Option<String>,
    /// Examine what the servers of your other MCP clients publish; without files, those of Claude
    /// Code, Claude Desktop, Codex, Cursor, Gemini CLI and VS Code
    #[arg(long, value_name = "FILE", num_args = 0.., conflicts_with_all = ["server_url", "sign_in", "expect_issuer", "format", "all"])]
    pub(crate) config: Option<Vec<PathBuf>>,
}

/// How `client doctor` writes its report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// Every check, as JSON
    Json,
    /// For code scanning
    Sarif,
    /// For continuous integration
    Junit,
}

/// What can be done with names of servers.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum ServerCommand {
    /// Give a server a name: `add work https://mcp.example.com/mcp`
    Add {
        /// What it is to be called
        #[arg(value_parser = server_name)]
        name: String,
        /// Its address
        #[arg(value_parser = server_address::parse)]
        address: Url,
    },
    /// Use the server of this name from now on
    Use {
        /// Its name
        name: String,
    },
    /// List the servers that have names
    #[command(alias = "servers")]
    List,
    /// Forget the name of a server; tokens stay, `logout` ends them
    Remove {
        /// Its name
        name: String,
    },
}

/// What can be done with skills.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum SkillCommand {
    /// List the skills; no file of them is read
    List,
    /// Load a skill as its list promises it, and print its SKILL.md
    Show {
        /// Its name, or the URI of its SKILL.md
        name: String,
    },
    /// Load a skill as its list promises it, and write it to a new folder in the directory of
    /// `--save-to`
    Save {
        /// Its name, or the URI of its SKILL.md
        name: String,
    },
    /// Load one skill or all of them, and say whether each is what its list promises
    Verify {
        /// Its name, or the URI of its SKILL.md
        name: Option<String>,
    },
}

fn server_name(text: &str) -> Result<String, String> {
    let mut letters = text.chars();
    if !text.is_empty() && letters.all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
        Ok(text.to_owned())
    } else {
        Err("use letters, digits, `-`, `_` and `.`".to_owned())
    }
}
