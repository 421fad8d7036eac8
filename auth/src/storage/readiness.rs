//! Whether the database can be written just now.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Mutex, time::timeout};

use super::{Database, StorageError, counters};

/// The counter that each look raises.
const COUNTER: &str = "readiness";
/// Seconds for which an outcome is told again. Anyone may ask, and a look costs a write.
const CACHE_TTL: i64 = 2;
/// How long a write may take.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// The latest look at the database.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Mutex<Option<Look>>>);

#[derive(Clone, Copy, Debug)]
struct Look {
    at: i64,
    is_writable: bool,
}

impl Readiness {
    /// Whether a write is committed at the time `now`. A change is logged, once.
    pub async fn is_writable(&self, db: &Database, now: i64) -> bool {
        // Whoever comes while one looks waits for the outcome.
        let mut latest = self.0.lock().await;
        if let Some(look) = latest.filter(|look| (look.at..look.at + CACHE_TTL).contains(&now)) {
            return look.is_writable;
        }
        let was_writable = latest.is_none_or(|look| look.is_writable);
        let failure = failure_of_a_write(db).await;
        let is_writable = failure.is_none();
        match failure {
            Some(cause) if was_writable => tracing::error!(cause, "the database cannot be written"),
            None if !was_writable => tracing::info!("the database can be written again"),
            _ => {}
        }
        *latest = Some(Look { at: now, is_writable });
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
