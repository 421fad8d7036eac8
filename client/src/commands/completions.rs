//! `client completions`: a script by which a shell completes this program's commands and flags.

use clap_complete::{Shell, generate};

use crate::{cli::Cli, error::Error, terminal::output::Output};

pub(crate) fn run(shell: Shell, output: &Output) -> Result<(), Error> {
    let mut script = Vec::new();
    generate(shell, &mut Cli::grammar(None), "client", &mut script);
    Ok(output.data(String::from_utf8_lossy(&script).trim_end())?)
}
