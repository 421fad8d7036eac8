//! `auth`: reads the settings, starts the server, and stops it gracefully; or carries out one
//! command of the operator.

use std::{
    error::Error,
    io::{IsTerminal, Write},
    process::ExitCode,
    sync::Mutex,
};

use auth::{
    commands::{Command, Task},
    config::{Config, LogFormat},
    state::AppState,
    story::{self, StoryFile},
};
use net::{clock::Clock, connections, shutdown::stop_signal};
use tokio::sync::watch;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

#[tokio::main]
async fn main() -> ExitCode {
    match Task::parse(std::env::args_os()) {
        Ok(Task::Serve(config)) => serve(*config).await,
        Ok(Task::Command(command)) => carry_out(command).await,
        Err(error) => error.exit(),
    }
}

async fn serve(config: Config) -> ExitCode {
    if let Some(failure) = begin_logging(&config) {
        tokio::spawn(story::report_failures(failure));
    }
    match run(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Logs to stderr, and keeps the story of each request in its file. A file that cannot be written
/// does not keep the server from serving; whether it can be written is what is returned.
fn begin_logging(config: &Config) -> Option<watch::Receiver<Option<String>>> {
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    // Where stderr is a file on a full disk, to complain about that on stderr would panic.
    let log = log.log_internal_errors(false);
    let log = match config.log_format {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => log.json().with_span_list(false).boxed(),
    };
    let opened = match config.story_size {
        0 => None,
        size => Some(StoryFile::open(&config.story.story_file, size.saturating_mul(1024 * 1024))),
    };
    let (file, failure) = match opened.transpose() {
        Ok(file) => (file, None),
        Err(error) => (None, Some(error)),
    };
    let watched = file.as_ref().map(StoryFile::failure);
    let stories = file.map(|file| story::layer(Mutex::new(file)));
    let log = log.with_filter(filter(config));
    tracing_subscriber::registry().with(log).with(stories).init();
    if let Some(error) = failure {
        let file = config.story.story_file.display();
        tracing::warn!("no stories are kept for `auth explain`: {file} cannot be written: {error}");
    }
    watched
}

/// What to log. The driver repeats parameters of DATABASE_URL and lines of a password file that it
/// does not understand; they may hold a password.
fn filter(config: &Config) -> EnvFilter {
    let filter = EnvFilter::new(&config.log);
    match "sqlx_postgres::options=off".parse() {
        Ok(silence) => filter.add_directive(silence),
        Err(_) => filter,
    }
}

async fn carry_out(command: Command) -> ExitCode {
    let warnings =
        tracing_subscriber::fmt().with_writer(std::io::stderr).log_internal_errors(false);
    warnings.with_env_filter("auth=warn").with_target(false).without_time().init();
    match command.run(Clock::system(), &mut std::io::stdout()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If stderr is closed, the error cannot be reported.
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: Config) -> Result<(), Box<dyn Error + Send + Sync>> {
    let address = config.listen;
    let issuer = config.issuer.clone();
    let state = AppState::start(config, Clock::system()).await?;
    let listener = connections::bind(address, "AUTH_LISTEN", "AUTH_ISSUER").await?;
    tracing::info!("{issuer} is ready");
    auth::serve(listener, state, stop_signal()?).await;
    Ok(())
}
