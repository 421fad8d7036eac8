//! `auth`: reads the settings, starts the server, and stops it gracefully; or carries out one
//! command of the operator.

use std::{
    error::Error,
    io::{ErrorKind, IsTerminal, Write},
    process::ExitCode,
};

use auth::{
    clock::Clock,
    commands::{Command, Task},
    config::Config,
    state::AppState,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    match Task::parse(std::env::args_os()) {
        Ok(Task::Serve(config)) => serve(*config).await,
        Ok(Task::Command(command)) => carry_out(command).await,
        Err(error) => error.exit(),
    }
}

async fn serve(config: Config) -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&config.log))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
    match run(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn carry_out(command: Command) -> ExitCode {
    match command.run(Clock::system(), &mut std::io::stdout()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when stderr is closed.
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: Config) -> Result<(), Box<dyn Error>> {
    let address = config.listen;
    let issuer = config.issuer.clone();
    let state = AppState::start(config, Clock::system()).await?;
    let listener = TcpListener::bind(address).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => format!(
            "port {} is taken by another program; stop it, or set AUTH_LISTEN and AUTH_ISSUER",
            address.port()
        ),
        _ => format!("cannot listen on {address}: {error}; check AUTH_LISTEN"),
    })?;
    tracing::info!("{issuer} is ready");
    auth::serve(listener, state, stop_signal()?).await?;
    Ok(())
}

/// Completes on Ctrl-C and on SIGTERM.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
