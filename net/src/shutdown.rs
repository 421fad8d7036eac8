//! When a server is told to stop.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Completes on Ctrl-C (SIGINT) and on SIGTERM. From the call on, neither ends the process by
/// itself.
///
/// # Errors
/// When the handlers of the signals cannot be installed.
pub fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
