//! The system keyring, where there is one: it keeps the key that the credentials are sealed with.
//!
//! The keyring stores one small item, which is read once per run. The credentials themselves stay
//! in their file, which is replaced as a whole under a lock. Without the keyring the file is
//! unreadable.

use std::{path::Path, time::Duration};

use clap::ValueEnum;
use futures::future::{BoxFuture, FutureExt as _};

use crate::secret::Secret;

/// How long a keyring may take to answer. One that runs answers in milliseconds.
pub(super) const PROBE_TIMEOUT: Duration = Duration::from_secs(2);
/// Long enough for a user to unlock it.
pub(super) const UNLOCK_TIMEOUT: Duration = Duration::from_secs(60);

/// Where the secrets of the credentials are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum SecretStore {
    /// With the system keyring where an unlocked one answers, else in a file
    #[default]
    Auto,
    /// With the system keyring, or not at all
    Keyring,
    /// In a file that only its owner may read
    File,
}

/// Why the keyring is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeyringError(pub(crate) String);

/// A store for the key that seals the credentials.
pub(crate) trait Keyring: Send + Sync {
    fn key(&self) -> BoxFuture<'_, Result<Option<Secret>, KeyringError>>;

    fn keep<'a>(&'a self, key: &'a Secret) -> BoxFuture<'a, Result<(), KeyringError>>;
}

/// The keyring of the desktop: GNOME's, KDE's, or another with the Secret Service interface.
#[derive(Clone, Debug)]
pub(crate) struct SystemKeyring {
    /// Each state directory has a key of its own.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "there is no keyring"))]
    directory: String,
    /// Whether the user may be asked to unlock it.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "there is no keyring"))]
    may_unlock: bool,
}

impl SystemKeyring {
    /// The keyring, with the key of the credentials in `directory`. The user is only asked to
    /// unlock it if they chose it explicitly.
    pub(crate) fn new(directory: &Path, store: SecretStore) -> Self {
        let directory = std::path::absolute(directory).unwrap_or(directory.to_owned());
        let directory = directory.display().to_string();
        Self { directory, may_unlock: store == SecretStore::Keyring }
    }
}

#[cfg(not(target_os = "linux"))]
impl Keyring for SystemKeyring {
    fn key(&self) -> BoxFuture<'_, Result<Option<Secret>, KeyringError>> {
        async { Err(unknown()) }.boxed()
    }

    fn keep<'a>(&'a self, _: &'a Secret) -> BoxFuture<'a, Result<(), KeyringError>> {
        async { Err(unknown()) }.boxed()
    }
}

#[cfg(not(target_os = "linux"))]
fn unknown() -> KeyringError {
    KeyringError("this client knows no keyring on this system".to_owned())
}

#[cfg(target_os = "linux")]
impl Keyring for SystemKeyring {
    fn key(&self) -> BoxFuture<'_, Result<Option<Secret>, KeyringError>> {
        self.find().map(|found| found.map_err(refused)).boxed()
    }

    fn keep<'a>(&'a self, key: &'a Secret) -> BoxFuture<'a, Result<(), KeyringError>> {
        self.create(key).map(|created| created.map_err(refused)).boxed()
    }
}

#[cfg(target_os = "linux")]
fn refused(error: secret_service::Error) -> KeyringError {
    KeyringError(match error {
        secret_service::Error::Unavailable => "no program provides one in this session".to_owned(),
        secret_service::Error::Locked => "it is locked".to_owned(),
        secret_service::Error::NoResult => "it has no place for secrets yet".to_owned(),
        other => other.to_string(),
    })
}

#[cfg(target_os = "linux")]
impl SystemKeyring {
    fn attributes(&self) -> std::collections::HashMap<&str, &str> {
        [("application", "portcullis-client"), ("directory", self.directory.as_str())].into()
    }

    async fn find(&self) -> Result<Option<Secret>, secret_service::Error> {
        let service = connect().await?;
        let found = service.search_items(self.attributes()).await?;
        let item = match (found.unlocked.first(), found.locked.first()) {
            (Some(item), _) => item,
            (None, Some(item)) if self.may_unlock => {
                item.unlock().await?;
                item
            }
            (None, Some(_)) => return Err(secret_service::Error::Locked),
            (None, None) => return Ok(None),
        };
        let key = String::from_utf8(item.get_secret().await?);
        Ok(key.ok().map(Secret::new))
    }

    async fn create(&self, key: &Secret) -> Result<(), secret_service::Error> {
        let service = connect().await?;
        let collection = service.get_default_collection().await?;
        if collection.is_locked().await? {
            if self.may_unlock {
                collection.unlock().await?
            } else {
                return Err(secret_service::Error::Locked);
            }
        }
        let label = format!("Portcullis client: key of {}", self.directory);
        let secret = key.reveal().as_bytes();
        collection
            .create_item(&label, self.attributes(), secret, true, "text/plain")
            .await
            .map(drop)
    }
}

#[cfg(target_os = "linux")]
async fn connect() -> Result<secret_service::SecretService<'static>, secret_service::Error> {
    secret_service::SecretService::connect(secret_service::EncryptionType::Dh).await
}
