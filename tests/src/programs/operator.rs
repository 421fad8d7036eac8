//! The operator of the stack: commands of the program `auth`, run as a process of its own on the
//! stack's database.

use std::process::Stdio;

use secrecy::ExposeSecret;
use tokio::process::Command;

use crate::{
    programs::command_line::Outcome,
    stack::{Stack, program},
};

/// Runs a command to its end. The process sees the database and the secrets of the stack, and no
/// other setting.
pub async fn run(stack: &Stack, arguments: &[&str]) -> Outcome {
    let config = &stack.state.config;
    let output = Command::new(program("auth"))
        .args(arguments)
        .env_clear()
        .env("DATABASE_URL", config.database.database_url.expose_secret())
        .env("AUTH_SECRET_FILE", &config.secret.secret_file)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("a process");
    stack.catch_up();
    Outcome {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}
