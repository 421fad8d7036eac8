//! `gate`: reads the settings, starts the gate, and stops it gracefully.

use std::{error::Error, ffi::OsString, io, process::ExitCode};

use clap::Parser;
use net::{clock::Clock, connections, log, shutdown::stop_signal};

use crate::{Gate, commands::CommandLine, config::Config};

/// Runs the gate with these arguments. The first is the name of the program.
pub async fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let parsed = CommandLine::try_parse_from(arguments);
    let CommandLine { config, command } = parsed.unwrap_or_else(|error| error.exit());
    log::begin(&config.log);
    log::exit_code(match command {
        Some(command) => command.run(&mut io::stdout().lock()).map_err(Into::into),
        None => serve(config).await,
    })
}

async fn serve(config: Config) -> Result<(), Box<dyn Error>> {
    let gate = Gate::new(&config, Clock::system())?;
    let listener = connections::bind(config.listen, "GATE_LISTEN", "GATE_RESOURCE").await?;
    tracing::info!(upstream = config.upstream_name(), "{} is ready", config.resource);
    gate.serve(listener, stop_signal()?).await;
    Ok(())
}
