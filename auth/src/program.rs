//! `auth`: reads the settings, starts the server, and stops it gracefully; or carries out one
//! command of the operator.

use std::{
    error::Error,
    ffi::OsString,
    io::{self, IsTerminal, Write},
    process::ExitCode,
    time::Duration,
};

use axum::Router;
use net::{clock::Clock, connections, shutdown::stop_signal};
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    commands::{Command, CommandError, Task},
    config::{Config, LogFormat},
    state::AppState,
    story::{self, Stories, StoryFile},
};

/// How long the process may wait at its end for the last stories to be written.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// Does what the arguments ask for; the first is the name of the program.
pub async fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match Task::parse(arguments) {
        Ok(Task::Serve(config)) => match stop_signal() {
            Ok(stop) => serve(*config, |router| router, stop).await,
            Err(_) => ExitCode::FAILURE,
        },
        Ok(Task::Command(command)) => carry_out(command).await,
        Err(error) => error.exit(),
    }
}

/// Serves until `shutdown` what `together` makes of the router.
pub async fn serve(
    config: Config,
    together: impl FnOnce(Router) -> Router,
    shutdown: impl Future<Output = ()>,
) -> ExitCode {
    let stories = begin_logging(&config);
    let outcome = start(config, together, shutdown).await;
    if let Err(error) = &outcome {
        tracing::error!("{error}");
    }
    if let Some(stories) = stories {
        stories.flush(FLUSH_TIMEOUT).await;
    }
    if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Logs to stderr, and keeps the story of each request in its file. A file that cannot be written
/// does not keep the server from serving.
fn begin_logging(config: &Config) -> Option<Stories> {
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    // Where stderr is a file on a full disk, to complain about that on stderr would panic.
    let log = log.log_internal_errors(false);
    let log = match config.log_format {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => log.json().with_span_list(false).boxed(),
    };
    let (stories, failure) = match keep_stories(config) {
        Ok(stories) => (stories, None),
        Err(error) => (None, Some(error)),
    };
    let log = log.with_filter(filter(config));
    tracing_subscriber::registry().with(log).with(stories.as_ref().map(Stories::layer)).init();
    if let Some(error) = failure {
        let file = config.story.story_file.display();
        tracing::warn!("no stories are kept for `auth explain`: {file} cannot be written: {error}");
    }
    stories
}

fn keep_stories(config: &Config) -> io::Result<Option<Stories>> {
    if config.story_size == 0 {
        return Ok(None);
    }
    let size = config.story_size.saturating_mul(1024 * 1024);
    let file = StoryFile::open(&config.story.story_file, size)?;
    tokio::spawn(story::report_failures(file.failure()));
    Stories::start(file, config.story_sample).map(Some)
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
        Err(CommandError::SaidNo) => ExitCode::FAILURE,
        Err(error) => {
            // If stderr is closed, the error cannot be reported.
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn start(
    config: Config,
    together: impl FnOnce(Router) -> Router,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let address = config.listen;
    let issuer = config.issuer.clone();
    let state = AppState::start(config, Clock::system()).await?;
    let listener = connections::bind(address, "AUTH_LISTEN", "AUTH_ISSUER").await?;
    tracing::info!("{issuer} is ready");
    crate::serve_together(listener, state, together, shutdown).await;
    Ok(())
}
