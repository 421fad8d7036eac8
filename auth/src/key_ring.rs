//! The signing keys as this replica holds them: read from the database, kept up to date, rotated
//! when it is time. What is stored decides, so replicas agree.

pub mod replica;
pub(crate) mod stored;

use std::sync::{Arc, PoisonError, RwLock};

use keys::{Algorithm, KeyError, KeySet, PublishedKeys, Rotation, SealError, SigningKey};
use thiserror::Error;

use self::{replica::Replica, stored::StoredRing};
use crate::{
    seals::Seals,
    storage::{Connection, Database, StorageError, signing_keys},
};

/// The keys cannot be read or changed.
#[derive(Debug, Error)]
pub enum KeyRingError {
    /// The database fails.
    #[error("the database fails: {0}")]
    Storage(#[from] StorageError),
    /// The signing keys do not open.
    #[error(
        "the signing keys in the database do not open under the master secret file: {0}; put the \
         secret that sealed them back into AUTH_SECRET_FILE (it may stand on a second line)"
    )]
    WrongMasterSecret(#[from] SealError),
    /// A key cannot be made or read.
    #[error("the signing key is not usable: {0}")]
    Key(#[from] KeyError),
}

/// Which keys there are to be, and when one follows another.
#[derive(Clone, Debug)]
pub struct KeyPlan {
    /// The first is that of whatever does not say.
    pub algorithms: Vec<Algorithm>,
    /// The times.
    pub rotation: Rotation,
}

/// The ring in memory, shared by all requests.
#[derive(Debug)]
pub struct LiveKeyRing {
    held: RwLock<StoredRing>,
    verification_keys: RwLock<VerificationKeys>,
    seals: Arc<Seals>,
    plan: KeyPlan,
    replica: Replica,
}

/// The published keys, parsed.
#[derive(Debug, Default)]
struct VerificationKeys {
    keys: Arc<PublishedKeys>,
    /// The version of the ring that they are from.
    version: i64,
    /// When the first of them retires.
    until: Option<i64>,
}

impl LiveKeyRing {
    /// Reads the keys; the first start makes one for each algorithm of `plan`. A key that does not
    /// open stops the start, because a fresh key would quietly void every token there is.
    ///
    /// From here on the others count this replica. They change the sealing line under the same lock,
    /// so either they see its first heartbeat, or it sees their change and does not start without
    /// the secret.
    pub async fn open(
        db: &Database,
        seals: Arc<Seals>,
        plan: KeyPlan,
        now: i64,
    ) -> Result<Self, KeyRingError> {
        let replica = Replica::new(&seals.secrets);
        let transaction = db.begin().await?;
        stored::lock(&transaction).await?;
        let stored = StoredRing::read(&transaction, &seals.signing_key).await?;
        replica.beat(&transaction, now).await?;
        transaction.commit().await?;
        if stored.has_old_seal {
            tracing::info!("the first master secret is used once every replica has it on top");
        }
        let ring = Self {
            held: RwLock::default(),
            verification_keys: RwLock::default(),
            seals,
            plan,
            replica,
        };
        ring.hold(stored);
        ring.keep(db, now).await?;
        Ok(ring)
    }

    /// The key to sign with if no algorithm is required.
    pub fn current(&self, now: i64) -> Result<Arc<SigningKey>, KeyError> {
        self.current_for(self.plan.algorithms.first().copied().unwrap_or_default(), now)
    }

    /// The key to sign with by `algorithm`. One that was configured a moment ago is published
    /// first; until it signs, the default does.
    pub fn current_for(&self, algorithm: Algorithm, now: i64) -> Result<Arc<SigningKey>, KeyError> {
        let ring = self.held().keys;
        let fallback = self.plan.algorithms.first().copied().unwrap_or_default();
        ring.current(algorithm, now).or_else(|_| ring.current(fallback, now))
    }

    /// What verifiers see: next, current and previous keys.
    pub fn key_set(&self, now: i64) -> KeySet {
        self.held().keys.key_set(now)
    }

    /// The same keys, parsed to verify with. The pointer stays the same until the set changes.
    pub(crate) fn verification_keys(&self, now: i64) -> Arc<PublishedKeys> {
        let held = self.held();
        let known = self.verification_keys.read().unwrap_or_else(PoisonError::into_inner);
        if known.version == held.version && known.until.is_none_or(|until| now < until) {
            return known.keys.clone();
        }
        drop(known);
        let keys = Arc::new(PublishedKeys::from(&held.keys.key_set(now)));
        let until = held.keys.next_retirement(now);
        let parsed = VerificationKeys { keys: keys.clone(), version: held.version, until };
        *self.verification_keys.write().unwrap_or_else(PoisonError::into_inner) = parsed;
        keys
    }

    /// Takes over what other replicas and the operator have changed.
    pub async fn catch_up(&self, db: &Database) -> Result<(), KeyRingError> {
        let version = stored::version(db.connection()).await?;
        if version != self.held().version {
            self.hold(StoredRing::read(db.connection(), &self.seals.signing_key).await?);
        }
        Ok(())
    }

    /// Catches up, tells the others that this replica is there, and changes what is due: a next key,
    /// the end of one that has a successor, the seal of an old master secret.
    pub async fn keep(&self, db: &Database, now: i64) -> Result<(), KeyRingError> {
        self.catch_up(db).await?;
        self.replica.beat(db.connection(), now).await?;
        let held = self.held();
        if !self.is_anything_due(&held, now)
            && !self.is_new_seal_due(&held, db.connection(), now).await?
        {
            return Ok(());
        }
        let transaction = db.begin().await?;
        // Another replica may have done the work by the time the lock is ours.
        stored::lock(&transaction).await?;
        let sealer = &self.seals.signing_key;
        let mut ring = StoredRing::read(&transaction, sealer).await?;
        for algorithm in &self.plan.algorithms {
            while let Some(activates_at) = ring.keys.due(*algorithm, self.plan.rotation, now) {
                let key = SigningKey::generate(*algorithm)?;
                stored::add(&transaction, (&ring, sealer), &key, activates_at).await?;
                tracing::info!(kid = key.kid(), %algorithm, activates_at, "made a signing key");
                ring = StoredRing::read(&transaction, sealer).await?;
            }
        }
        for (kid, at) in ring.keys.retirements(self.plan.rotation) {
            signing_keys::retire(&transaction, &kid, at).await?;
        }
        // Asked again under the lock: a replica without the first line may have started meanwhile.
        if self.is_new_seal_due(&ring, &transaction, now).await? {
            stored::seal_anew(&transaction, sealer).await?;
        }
        let ring = StoredRing::read(&transaction, sealer).await?;
        transaction.commit().await?;
        self.hold(ring);
        Ok(())
    }

    fn is_anything_due(&self, held: &StoredRing, now: i64) -> bool {
        let is_due =
            |algorithm: &Algorithm| held.keys.due(*algorithm, self.plan.rotation, now).is_some();
        self.plan.algorithms.iter().any(is_due)
            || !held.keys.retirements(self.plan.rotation).is_empty()
    }

    /// Replicas whose files have different first lines never re-seal against each other, because
    /// it takes all of them to agree.
    async fn is_new_seal_due(
        &self,
        ring: &StoredRing,
        db: &impl Connection,
        now: i64,
    ) -> Result<bool, StorageError> {
        Ok(ring.has_old_seal && self.replica.is_first_line_unanimous(db, now).await?)
    }

    fn held(&self) -> StoredRing {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Of two that are read at once, the later state stays. What the keys are sealed under is what
    /// this replica seals with.
    fn hold(&self, ring: StoredRing) {
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        if held.version <= ring.version {
            self.seals.secrets.seal_with(ring.sealing_line);
            *held = ring;
        }
    }
}
