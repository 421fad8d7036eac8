//! `gate`: reads the settings, starts the gate, and stops it gracefully.

use std::{
    error::Error,
    io::{self, IsTerminal},
    process::ExitCode,
};

use clap::Parser;
use gate::{commands::CommandLine, config::Config};
use net::{clock::Clock, connections, shutdown::stop_signal};
use tracing_subscriber::EnvFilter;
use url::Url;

#[tokio::main]
async fn main() -> ExitCode {
    let CommandLine { config, command } = CommandLine::parse();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&config.log))
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        // Where stderr is a file on a full disk, to complain about that on stderr would panic.
        .log_internal_errors(false)
        .init();
    let outcome = match command {
        Some(command) => command.run(&mut io::stdout().lock()).map_err(Into::into),
        None => run(config).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: Config) -> Result<(), Box<dyn Error>> {
    let router = gate::router(&config, Clock::system())?;
    let listener = connections::bind(config.listen, "GATE_LISTEN", "GATE_RESOURCE").await?;
    tracing::info!(
        upstream = config.upstream.as_ref().map(Url::as_str),
        "{} is ready",
        config.resource
    );
    gate::serve(listener, router, stop_signal()?).await;
    Ok(())
}
