//! The file of credentials: registrations by issuer, and grants by issuer and resource.
//!
//! Only its owner may read the file. It is sealed if the system keyring keeps the key.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use keys::{MasterSecrets, Sealer};

use self::keyring::{Keyring, KeyringError, PROBE_TIMEOUT, SecretStore, UNLOCK_TIMEOUT};
use crate::{
    files::{
        file_lock::{FileLock, LockError},
        private_file,
    },
    secret::Secret,
};

pub(crate) mod keyring;
mod stored;

pub(crate) use self::stored::Stored;

const FILE: &str = "credentials.json";
const SEALED_FILE: &str = "credentials.sealed";
const LOCK: &str = "credentials.lock";
/// What the key in the keyring is for.
const PURPOSE: &str = "client credentials";
/// How long to wait for the lock: longer than the slowest refresh, which is one request.
const LOCK_TIMEOUT: Duration = Duration::from_secs(45);

/// Why the credentials cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    #[error("nowhere to keep credentials: neither XDG_STATE_HOME nor HOME is set")]
    NoDirectory,
    #[error("cannot use {}: {reason}", .path.display())]
    Io { path: PathBuf, reason: io::Error },
    #[error("{} is not a credentials file of this version: {reason}", .path.display())]
    Unreadable { path: PathBuf, reason: String },
    /// The user insists on the system keyring.
    #[error("the system keyring cannot be used: {0}")]
    Keyring(#[from] KeyringError),
    #[error("another client has been using {} for too long", .path.display())]
    Busy { path: PathBuf },
}

impl CredentialsError {
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::NoDirectory => "name a directory with `--state-dir`",
            Self::Io { .. } => "make that directory writable, or name another with `--state-dir`",
            Self::Unreadable { path, .. } => {
                let path = path.display();
                return format!("move {path} away, then sign in again with `client login`");
            }
            Self::Keyring(_) => {
                "unlock or start it, or keep a file with `--credentials-store file`"
            }
            Self::Busy { .. } => "stop the other client, then try again",
        }
        .to_owned()
    }
}

/// The credentials file of one state directory.
#[derive(Clone, Debug)]
pub struct Credentials {
    directory: PathBuf,
    /// What seals the file, if the keyring keeps a key for it.
    sealer: Option<Sealer>,
}

/// Held while the file changes, or while the one process that refreshes does so.
#[derive(Debug)]
pub(crate) struct Lock {
    _held: FileLock,
}

impl Credentials {
    /// The credentials kept in `directory`, which need not exist yet, in a file that is not sealed.
    pub fn new(directory: PathBuf) -> Self {
        Self { directory, sealer: None }
    }

    /// The credentials kept in `directory` as `store` says. A session without a keyring has a file
    /// of its own, and leaves the sealed one alone.
    pub(crate) async fn open(
        directory: PathBuf,
        store: SecretStore,
        keyring: &dyn Keyring,
    ) -> Result<Self, CredentialsError> {
        let timeout = if store == SecretStore::Keyring { UNLOCK_TIMEOUT } else { PROBE_TIMEOUT };
        Self::open_within(timeout, directory, store, keyring).await
    }

    async fn open_within(
        timeout: Duration,
        directory: PathBuf,
        store: SecretStore,
        keyring: &dyn Keyring,
    ) -> Result<Self, CredentialsError> {
        let file = Self::new(directory);
        if store == SecretStore::File {
            return Ok(file);
        }
        match (tokio::time::timeout(timeout, file.sealed_by(keyring)).await, store) {
            (Ok(Ok(sealed)), _) => Ok(sealed),
            (Ok(Err(CredentialsError::Keyring(_))) | Err(_), SecretStore::Auto) => Ok(file),
            (Ok(Err(error)), _) => Err(error),
            (Err(_), _) => Err(KeyringError("it does not answer".to_owned()).into()),
        }
    }

    /// The credentials, sealed with the key in `keyring`, which is created if there is none. The
    /// content of an unsealed file moves over.
    async fn sealed_by(&self, keyring: &dyn Keyring) -> Result<Self, CredentialsError> {
        let key = match keyring.key().await? {
            Some(key) => key,
            None => self.new_key(keyring).await?,
        };
        let sealer = MasterSecrets::parse(key.reveal()).map_err(no_key)?.sealer(PURPOSE);
        let sealed = Self { directory: self.directory.clone(), sealer: Some(sealer) };
        if self.path().exists() && !sealed.path().exists() {
            self.move_to(&sealed).await?;
        }
        Ok(sealed)
    }

    async fn new_key(&self, keyring: &dyn Keyring) -> Result<Secret, CredentialsError> {
        let _lock = self.lock().await?;
        // Another process may have been faster.
        if let Some(key) = keyring.key().await? {
            return Ok(key);
        }
        let key = MasterSecrets::generate().map(Secret::new).map_err(no_key)?;
        keyring.keep(&key).await?;
        Ok(key)
    }

    async fn move_to(&self, sealed: &Self) -> Result<(), CredentialsError> {
        let lock = self.lock().await?;
        let stored = self.read()?;
        sealed.change(&lock, |moved| *moved = stored)?;
        let path = self.path();
        match fs::remove_file(&path) {
            Err(reason) if reason.kind() != io::ErrorKind::NotFound => {
                Err(CredentialsError::Io { path, reason })
            }
            _ => Ok(()),
        }
    }

    /// Whether the file is sealed with a key in the system keyring.
    pub(crate) fn are_sealed(&self) -> bool {
        self.sealer.is_some()
    }

    /// The directory that holds them, and whatever else is remembered.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.join(if self.are_sealed() { SEALED_FILE } else { FILE })
    }

    /// Restricts the file to its owner, which a copy or a restored backup may have undone. Returns
    /// whether others could use it.
    pub(crate) fn make_private(&self) -> Result<bool, CredentialsError> {
        let path = self.path();
        private_file::make_private(&path).map_err(|reason| CredentialsError::Io { path, reason })
    }

    /// What is kept now; nothing if there is no file yet.
    pub(crate) fn read(&self) -> Result<Stored, CredentialsError> {
        let path = self.path();
        let content = match fs::read(&path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Stored::default()),
            Err(reason) => return Err(CredentialsError::Io { path, reason }),
        };
        let unreadable = |reason| CredentialsError::Unreadable { path: path.clone(), reason };
        let stored: Stored = match &self.sealer {
            // The parser's own words may repeat a token.
            None => serde_json::from_slice(&content).map_err(|error| {
                unreadable(format!("line {}, column {} is odd", error.line(), error.column()))
            }),
            Some(sealer) => sealer.open(String::from_utf8_lossy(&content).trim()).map_err(|_| {
                unreadable("the key in the system keyring does not open it".to_owned())
            }),
        }?;
        match stored.other_version() {
            Some(version) => Err(unreadable(format!("it has version {version}"))),
            None => Ok(stored),
        }
    }

    /// Waits up to 45 seconds until no other process changes or refreshes these credentials.
    pub(crate) async fn lock(&self) -> Result<Lock, CredentialsError> {
        self.lock_within(LOCK_TIMEOUT).await
    }

    async fn lock_within(&self, timeout: Duration) -> Result<Lock, CredentialsError> {
        let path = self.directory.join(LOCK);
        match FileLock::acquire(&path, timeout).await {
            Ok(held) => Ok(Lock { _held: held }),
            Err(LockError::Busy) => Err(CredentialsError::Busy { path }),
            Err(LockError::Io(reason)) => Err(CredentialsError::Io { path, reason }),
        }
    }

    /// Changes what is kept, under the caller's lock. An error leaves the old content there.
    pub(crate) fn change<T>(
        &self,
        _lock: &Lock,
        change: impl FnOnce(&mut Stored) -> T,
    ) -> Result<T, CredentialsError> {
        let mut stored = self.read()?;
        let outcome = change(&mut stored);
        self.write(&stored)?;
        Ok(outcome)
    }

    fn write(&self, stored: &Stored) -> Result<(), CredentialsError> {
        let path = self.path();
        let refused = |path: &Path, reason| CredentialsError::Io { path: path.into(), reason };
        let content = match &self.sealer {
            None => serde_json::to_vec_pretty(stored).map_err(io::Error::from),
            Some(sealer) => sealer.seal(stored).map(String::into_bytes).map_err(io::Error::other),
        };
        let content = content.map_err(|error| refused(&path, error))?;
        private_file::replace(&path, &content).map_err(|reason| refused(&path, reason))
    }
}

fn no_key(error: impl std::fmt::Display) -> CredentialsError {
    KeyringError(error.to_string()).into()
}

#[cfg(test)]
mod tests;
