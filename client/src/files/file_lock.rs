//! A lock that processes hold one at a time, on a file of its own: what they replace is not locked.

use std::{
    fs::{File, TryLockError},
    io,
    path::Path,
    time::Duration,
};

use crate::files::private_file;

/// Pause between two attempts.
pub(crate) const INTERVAL: Duration = Duration::from_millis(25);

/// Held while something changes that other processes change too.
#[derive(Debug)]
pub(crate) struct FileLock {
    /// Closing the file releases the lock.
    _file: File,
}

/// Why the lock was not got.
#[derive(Debug)]
pub(crate) enum LockError {
    /// Another process has held it all the time.
    Busy,
    Io(io::Error),
}

impl From<LockError> for io::Error {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Busy => io::ErrorKind::ResourceBusy.into(),
            LockError::Io(error) => error,
        }
    }
}

impl FileLock {
    /// Waits up to `timeout` until no other process holds the lock at `path`. Creates the directory
    /// if it is missing.
    pub(crate) async fn acquire(path: &Path, timeout: Duration) -> Result<Self, LockError> {
        path.parent().map_or(Ok(()), private_file::create_directory).map_err(LockError::Io)?;
        let file = private_file::open(path).map_err(LockError::Io)?;
        let deadline = tokio::time::Instant::now() + timeout;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::Error(reason)) => return Err(LockError::Io(reason)),
                Err(TryLockError::WouldBlock) if tokio::time::Instant::now() >= deadline => {
                    return Err(LockError::Busy);
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(INTERVAL).await,
            }
        }
    }
}
