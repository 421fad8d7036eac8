//! The ring as it is stored. Every change is made under one lock and raises one version, so a look
//! at the version tells a replica whether to read again.

use std::sync::Arc;

use keys::{KeyRing, RingEntry, Sealer, SigningKey};

use super::KeyRingError;
use crate::storage::{Connection, StorageError, counters, signing_keys};

/// The counter behind the version.
const COUNTER: &str = "signing_keys";

/// The stored ring at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct StoredRing {
    /// Which state of it this is.
    pub(crate) version: i64,
    pub(crate) keys: Arc<KeyRing>,
    /// The line of the master secrets that the keys are sealed under. It is the one that every
    /// replica seals and tags with.
    pub(crate) sealing_line: usize,
    /// Whether a key is sealed under another line than the first.
    pub(crate) has_old_seal: bool,
}

impl StoredRing {
    pub(crate) async fn read(db: &impl Connection, sealer: &Sealer) -> Result<Self, KeyRingError> {
        // The version first: what is changed in between is then read again.
        let version = version(db).await?;
        let rows = signing_keys::all(db).await?;
        let entries = rows.iter().map(|row| open(row, sealer)).collect::<Result<_, _>>()?;
        let line_of = |row: &signing_keys::Model| sealer.line_of(&row.sealed_private_jwk);
        let lines: Vec<usize> = rows.iter().filter_map(line_of).collect();
        Ok(Self {
            version,
            keys: Arc::new(KeyRing::new(entries)),
            sealing_line: lines.last().copied().unwrap_or_default(),
            has_old_seal: lines.iter().any(|line| *line != 0),
        })
    }
}

/// Which state of the ring is stored.
pub(crate) async fn version(db: &impl Connection) -> Result<i64, StorageError> {
    counters::read(db, COUNTER).await
}

/// Locks the ring until `transaction` ends, and raises its version.
pub(crate) async fn lock(transaction: &impl Connection) -> Result<(), StorageError> {
    counters::raise(transaction, COUNTER, 1).await.map(|_| ())
}

/// Enters a key, sealed as those of `ring` are. The ring must be locked.
pub(crate) async fn add(
    transaction: &impl Connection,
    (ring, sealer): (&StoredRing, &Sealer),
    key: &SigningKey,
    activates_at: i64,
) -> Result<(), KeyRingError> {
    let row = signing_keys::Model {
        kid: key.kid().into(),
        algorithm: key.algorithm().to_string(),
        sealed_private_jwk: sealer.seal_under(ring.sealing_line, &key.private_jwk())?,
        activates_at,
        retires_at: None,
    };
    Ok(signing_keys::add(transaction, row).await?)
}

/// Seals under the first master secret what is sealed under another. From then on every replica
/// seals with it, so all of them must know it. The ring must be locked.
pub(crate) async fn seal_anew(
    transaction: &impl Connection,
    sealer: &Sealer,
) -> Result<(), KeyRingError> {
    for row in signing_keys::all(transaction).await? {
        if sealer.line_of(&row.sealed_private_jwk) == Some(0) {
            continue;
        }
        let private: String = sealer.open(&row.sealed_private_jwk)?;
        signing_keys::reseal(transaction, &row.kid, sealer.seal_under(0, &private)?).await?;
        tracing::info!(kid = row.kid, "sealed a signing key under the first master secret");
    }
    Ok(())
}

fn open(row: &signing_keys::Model, sealer: &Sealer) -> Result<RingEntry, KeyRingError> {
    let jwk: String = sealer.open(&row.sealed_private_jwk)?;
    Ok(RingEntry {
        key: Arc::new(SigningKey::from_json(jwk.as_bytes())?),
        activates_at: row.activates_at,
        retires_at: row.retires_at,
    })
}
