//! Connections that read. None of them can write.

use std::thread::available_parallelism;

use sea_orm::{ConnAcquireErr, DbErr, Statement, sqlx::sqlite::SqliteConnectOptions};
use tokio::{
    sync::{Mutex, Semaphore},
    time::timeout,
};

use super::{
    WAIT_TIMEOUT,
    session::{Outcome, Session},
};

/// Connections that read at once: one for each processor, within these bounds.
const MIN_READERS: usize = 2;
const MAX_READERS: usize = 8;

#[derive(Debug)]
pub(super) struct Readers {
    sessions: Vec<Mutex<Session>>,
    /// As many as sessions, so that with a permit one session is free.
    permits: Semaphore,
}

impl Readers {
    pub(super) fn new(options: &SqliteConnectOptions) -> Self {
        let options = options.clone().pragma("query_only", "ON");
        let processors = available_parallelism().map_or(MIN_READERS, Into::into);
        let number = processors.clamp(MIN_READERS, MAX_READERS);
        let sessions = (0..number).map(|_| Mutex::new(Session::new(options.clone()))).collect();
        Self { sessions, permits: Semaphore::new(number) }
    }

    /// Runs a query.
    pub(super) async fn run(&self, statement: Statement) -> Result<Outcome, DbErr> {
        let permit = timeout(WAIT_TIMEOUT, self.permits.acquire()).await;
        if let Ok(Ok(_permit)) = permit {
            for session in &self.sessions {
                if let Ok(mut session) = session.try_lock() {
                    session.open().await?;
                    return session.run(statement).await;
                }
            }
        }
        Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))
    }
}
