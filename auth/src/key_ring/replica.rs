//! This replica among the others on its database.
//!
//! A master secret that one replica seals with and another does not know breaks every sign-in and
//! refresh that meets both. So each replica tells the others by a heartbeat which lines its secret
//! file has, and no new line seals before all of them have it on top.

use std::sync::atomic::{AtomicI64, Ordering};

use keys::MasterSecrets;
use uuid::Uuid;

use crate::storage::{Connection, StorageError, replicas};

/// Seconds between two heartbeats.
const HEARTBEAT_INTERVAL: i64 = 10;
/// Seconds after its latest heartbeat during which a replica may still serve. A replica that is
/// restarted with the old secret file is back before that.
pub const REPLICA_TTL: i64 = 45;

/// A process that serves, and its heartbeats.
#[derive(Debug)]
pub(crate) struct Replica {
    id: Uuid,
    fingerprints: Vec<String>,
    last_beat_at: AtomicI64,
    /// Since when heartbeats have come without a gap.
    beating_since: AtomicI64,
}

impl Replica {
    /// A replica with these secrets, not yet known to the others.
    pub(crate) fn new(secrets: &MasterSecrets) -> Self {
        Self {
            id: Uuid::now_v7(),
            fingerprints: secrets.fingerprints(),
            last_beat_at: AtomicI64::new(i64::MIN),
            beating_since: AtomicI64::new(i64::MIN),
        }
    }

    /// Stores a heartbeat if one is due.
    pub(crate) async fn beat(&self, db: &impl Connection, now: i64) -> Result<(), StorageError> {
        let pause = now.saturating_sub(self.last_beat_at.load(Ordering::Relaxed));
        if (0..HEARTBEAT_INTERVAL).contains(&pause) {
            return Ok(());
        }
        let row = replicas::Model {
            id: self.id,
            secret_fingerprints: self.fingerprints.join(" "),
            seen_at: now,
        };
        replicas::beat(db, row).await?;
        if !(0..REPLICA_TTL).contains(&pause) {
            self.beating_since.store(now, Ordering::Relaxed);
        }
        self.last_beat_at.store(now, Ordering::Relaxed);
        Ok(())
    }

    /// Whether every replica that may be serving has this replica's first line on top.
    ///
    /// After an outage of the database all heartbeats are late, so nobody counts as gone until this
    /// replica has seen the others have the time to come back.
    pub(crate) async fn is_first_line_unanimous(
        &self,
        db: &impl Connection,
        now: i64,
    ) -> Result<bool, StorageError> {
        if now.saturating_sub(self.beating_since.load(Ordering::Relaxed)) < REPLICA_TTL {
            return Ok(false);
        }
        let live = replicas::live(db, now.saturating_sub(REPLICA_TTL)).await?;
        let first = self.fingerprints.first().map(String::as_str);
        Ok(live.iter().all(|replica| replica.secret_fingerprints.split(' ').next() == first))
    }
}
