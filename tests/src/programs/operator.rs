//! The operator of the stack: commands of `auth` on the stack's database, in this process or, as
//! operators do, in one of their own.

use std::{ffi::OsString, process::Stdio};

use auth::commands::Task;
use secrecy::ExposeSecret;
use tokio::process::Command;

use crate::{
    programs::command_line::Outcome,
    stack::{Stack, program},
};

/// Carries a command out in this process and at the time of the stack, which is quicker than [`run`].
/// Returns what it wrote to stdout, or its error.
pub async fn carry_out(stack: &Stack, arguments: &[&str]) -> Result<String, String> {
    let config = &stack.state.config;
    let mut line: Vec<OsString> = ["auth"].iter().chain(arguments).map(Into::into).collect();
    line.extend(["--database-url", config.database.database_url.expose_secret()].map(Into::into));
    if arguments.first() == Some(&"keys") {
        line.extend(["--secret-file".into(), config.secret.secret_file.clone().into()]);
    }
    let Task::Command(command) = Task::parse(line).map_err(|error| error.to_string())? else {
        return Err("no command".to_owned());
    };
    let mut stdout = Vec::new();
    let done = command.run(stack.state.clock.clone(), &mut stdout).await;
    done.map_err(|error| error.to_string())?;
    Ok(String::from_utf8(stdout).expect("text"))
}

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
