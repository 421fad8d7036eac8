//! `mcp`: reads the settings, starts the server, and stops it gracefully.

use std::{
    error::Error,
    io::{self, ErrorKind, IsTerminal},
    process::ExitCode,
};

use clap::Parser;
use mcp::config::Config;
use net::clock::Clock;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let config = Config::parse();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&config.log))
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        // Where stderr is a file on a full disk, to complain about that on stderr would panic.
        .log_internal_errors(false)
        .init();
    match run(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: Config) -> Result<(), Box<dyn Error>> {
    config.check()?;
    let router = mcp::router(&config, Clock::system())?;
    let address = config.listen;
    let listener = TcpListener::bind(address).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => format!(
            "port {} is taken by another program; stop it, or set MCP_LISTEN and MCP_RESOURCE",
            address.port()
        ),
        _ => format!("cannot listen on {address}: {error}; check MCP_LISTEN"),
    })?;
    tracing::info!("{} is ready", config.resource);
    mcp::serve(listener, router, stop_signal()?).await;
    Ok(())
}

/// Completes on Ctrl-C and on SIGTERM.
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
