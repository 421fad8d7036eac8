//! `mcp`: reads the settings, starts the server, and stops it gracefully.

use std::{error::Error, ffi::OsString, process::ExitCode};

use clap::Parser;
use net::{clock::Clock, connections, log, shutdown::stop_signal};

use crate::config::Config;

/// Runs the server with these arguments. The first is the name of the program.
pub async fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let config = Config::try_parse_from(arguments).unwrap_or_else(|error| error.exit());
    log::begin(&config.log);
    log::exit_code(serve(config).await)
}

async fn serve(config: Config) -> Result<(), Box<dyn Error>> {
    config.check()?;
    let router = crate::router(&config, Clock::system())?;
    let listener = connections::bind(config.listen, "MCP_LISTEN", "MCP_RESOURCE").await?;
    tracing::info!("{} is ready", config.resource);
    crate::serve(listener, router, stop_signal()?).await;
    Ok(())
}
