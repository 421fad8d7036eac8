//! Whether the database accepts writes at the moment.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Mutex, time::timeout};

use super::{Database, StorageError, counters};

/// The counter that each check raises.
const COUNTER: &str = "readiness";
/// Seconds that an outcome is reused. Anyone may ask, and a check costs a write.
const CACHE_TTL: i64 = 1;
/// How long a write may take.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// The latest check of the database.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Mutex<Option<Check>>>);

#[derive(Clone, Copy, Debug)]
struct Check {
    at: i64,
    is_writable: bool,
}

impl Readiness {
    /// Whether the database accepts a write at the time `now`. Logs when that changes.
    pub(crate) async fn is_writable(&self, db: &Database, now: i64) -> bool {
        // Requests that come during a check wait for its outcome.
        let mut latest = self.0.lock().await;
        if let Some(check) = latest.filter(|check| (check.at..check.at + CACHE_TTL).contains(&now))
        {
            return check.is_writable;
        }
        let was_writable = latest.is_none_or(|check| check.is_writable);
        let failure = failure_of_a_write(db).await;
        let is_writable = failure.is_none();
        match failure {
            Some(cause) if was_writable => tracing::error!(cause, "the database cannot be written"),
            None if !was_writable => tracing::info!("the database can be written again"),
            _ => {}
        }
        *latest = Some(Check { at: now, is_writable });
        is_writable
    }
}

async fn failure_of_a_write(db: &Database) -> Option<String> {
    match timeout(WRITE_TIMEOUT, write(db)).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some(format!("no answer within {} s", WRITE_TIMEOUT.as_secs())),
    }
}

async fn write(db: &Database) -> Result<(), StorageError> {
    let transaction = db.begin().await?;
    counters::raise(&transaction, COUNTER, 1).await?;
    transaction.commit().await
}
