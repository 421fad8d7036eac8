//! What sign-in leaves behind: registrations by issuer, grants by issuer and resource, in one file
//! that only its owner may read.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    clock::Clock,
    oauth::{OAuthError, dpop::DpopKey, registration::ClientRegistration, scope::Scope},
    private_file,
    secret::Secret,
};

const FILE: &str = "credentials.json";
const LOCK: &str = "credentials.lock";
const VERSION: u32 = 1;
/// Longer than the slowest refresh, which is one request with its time-out.
const LOCK_PATIENCE: Duration = Duration::from_secs(45);
const LOCK_INTERVAL: Duration = Duration::from_millis(25);

/// A person's permission, as the authorization server granted it to this installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The authorization server, exactly as its metadata spells it.
    pub issuer: String,
    /// The MCP server, exactly as its metadata spells it (RFC 8707).
    pub resource: String,
    /// The registration it was granted to: a refresh token works for no other (RFC 6749 §6).
    pub client: ClientRegistration,
    /// The access token.
    pub access_token: Secret,
    /// The refresh token, if one was issued and has not been refused since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<Secret>,
    /// What was granted.
    pub scope: Scope,
    /// What was asked for, which a step-up asks for again.
    pub requested_scope: Scope,
    /// When the access token was issued, in seconds since 1970.
    pub issued_at: i64,
    /// When the access token expires, in seconds since 1970, if the server said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
    /// The private key that the tokens are bound to, if they are (RFC 9449).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpop_key: Option<Secret>,
    /// Who signed in, if the authorization server told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Person>,
}

impl Grant {
    /// The key that the tokens are bound to.
    ///
    /// # Errors
    /// [`OAuthError::UnusableKey`] when what was kept is no key.
    pub fn restored_key(&self, clock: &Clock) -> Result<Option<DpopKey>, OAuthError> {
        self.dpop_key.as_ref().map(|stored| DpopKey::restore(stored, clock)).transpose()
    }

    /// Whether the access token's life is over.
    pub fn is_expired(&self, now: i64) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }

    /// Whether it is time to refresh: 60 seconds before the end, or at half-life if that is later.
    pub fn is_due(&self, now: i64) -> bool {
        self.expires_at.is_some_and(|expires_at| {
            let margin = 60.min((expires_at - self.issued_at) / 2);
            expires_at - margin <= now
        })
    }

    /// Whether the grant can still lead to an answer without asking the person.
    pub fn is_usable(&self, now: i64) -> bool {
        self.refresh_token.is_some() || !self.is_expired(now)
    }
}

/// Who signed in (OpenID Connect Core §5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The full name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The short name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    /// The e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

impl Person {
    /// The best name there is.
    pub fn display_name(&self) -> Option<&str> {
        let Self { name, preferred_username, email } = self;
        name.as_deref().or(preferred_username.as_deref()).or(email.as_deref())
    }
}

/// The content of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    version: u32,
    /// Which grant each server's address leads to: what its metadata said at the last sign-in.
    #[serde(default)]
    servers: BTreeMap<String, GrantKey>,
    #[serde(default)]
    registrations: BTreeMap<String, ClientRegistration>,
    /// At which issuer each client that was registered beforehand was first used.
    #[serde(default)]
    pinned_issuers: BTreeMap<String, String>,
    #[serde(default)]
    grants: BTreeMap<String, BTreeMap<String, Grant>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct GrantKey {
    issuer: String,
    resource: String,
}

impl Default for Stored {
    fn default() -> Self {
        Self {
            version: VERSION,
            servers: BTreeMap::new(),
            registrations: BTreeMap::new(),
            pinned_issuers: BTreeMap::new(),
            grants: BTreeMap::new(),
        }
    }
}

impl Stored {
    /// The grant for the server at `server`.
    pub fn grant(&self, server: &Url) -> Option<&Grant> {
        let key = self.servers.get(server.as_str())?;
        self.grants.get(&key.issuer)?.get(&key.resource)
    }

    /// Keeps `grant`, and uses it for `server` from now on.
    pub fn keep_grant(&mut self, server: &Url, grant: Grant) {
        let key = GrantKey { issuer: grant.issuer.clone(), resource: grant.resource.clone() };
        self.servers.insert(server.to_string(), key);
        self.grants.entry(grant.issuer.clone()).or_default().insert(grant.resource.clone(), grant);
    }

    /// Notes that the access token for `server` is no good and cannot be renewed, if it is still
    /// the one that was `refused`.
    pub fn mark_refused(&mut self, server: &Url, refused: &Grant, now: i64) {
        if self.grant(server) == Some(refused) {
            self.keep_grant(server, Grant { expires_at: Some(now), ..refused.clone() });
        }
    }

    /// Forgets the grant for `server`.
    pub fn forget_grant(&mut self, server: &Url) {
        let Some(key) = self.servers.remove(server.as_str()) else { return };
        if let Some(grants) = self.grants.get_mut(&key.issuer) {
            grants.remove(&key.resource);
        }
        self.grants.retain(|_, grants| !grants.is_empty());
    }

    /// The issuer that the client `client_id`, registered beforehand, was first used at.
    pub fn pinned_issuer(&self, client_id: &str) -> Option<&str> {
        self.pinned_issuers.get(client_id).map(String::as_str)
    }

    /// Remembers that `client_id` belongs to `issuer`.
    pub fn pin_issuer(&mut self, client_id: &str, issuer: &str) {
        self.pinned_issuers.insert(client_id.to_owned(), issuer.to_owned());
    }

    /// Takes out the registration at `issuer`. A sign-in puts it back when it succeeds; so one
    /// that led nowhere is not tried twice.
    pub fn take_registration(&mut self, issuer: &str) -> Option<ClientRegistration> {
        self.registrations.remove(issuer)
    }

    /// Keeps the registration at `issuer`.
    pub fn keep_registration(&mut self, issuer: &str, registration: ClientRegistration) {
        self.registrations.insert(issuer.to_owned(), registration);
    }
}

/// Why the credentials cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// Neither a state directory nor a home directory is known.
    #[error("nowhere to keep credentials: neither XDG_STATE_HOME nor HOME is set")]
    NoDirectory,
    /// The file system refused.
    #[error("cannot use {}: {reason}", .path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The operating system's words.
        reason: io::Error,
    },
    /// The file is not one this version wrote.
    #[error("{} is not a credentials file of this version: {reason}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What was odd.
        reason: String,
    },
    /// Another process has held the lock for too long.
    #[error("another client has been using {} for too long", .path.display())]
    Busy {
        /// The lock file.
        path: PathBuf,
    },
}

impl CredentialsError {
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoDirectory => "name a directory with `--state-dir`".to_owned(),
            Self::Io { .. } => {
                "make that directory writable, or name another with `--state-dir`".to_owned()
            }
            Self::Unreadable { path, .. } => {
                format!("move {} away, then sign in again with `client login`", path.display())
            }
            Self::Busy { .. } => "stop the other client, then try again".to_owned(),
        })
    }
}

/// The credentials file of one state directory.
#[derive(Clone, Debug)]
pub struct Credentials {
    directory: PathBuf,
}

/// Held while the file changes, or while the one process that refreshes does so.
#[derive(Debug)]
pub struct Lock {
    /// Closing the file releases the lock.
    _file: File,
}

impl Credentials {
    /// The credentials kept in `directory`, which need not exist yet.
    pub fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Where they are kept.
    pub fn path(&self) -> PathBuf {
        self.directory.join(FILE)
    }

    /// What is kept now; nothing if there is no file yet.
    ///
    /// # Errors
    /// [`CredentialsError`] when the file cannot be read or understood.
    pub fn read(&self) -> Result<Stored, CredentialsError> {
        let path = self.path();
        let content = match fs::read(&path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Stored::default()),
            Err(reason) => return Err(CredentialsError::Io { path, reason }),
        };
        let unreadable = |reason| CredentialsError::Unreadable { path: path.clone(), reason };
        let stored: Stored =
            serde_json::from_slice(&content).map_err(|error| unreadable(error.to_string()))?;
        if stored.version != VERSION {
            return Err(unreadable(format!("it has version {}", stored.version)));
        }
        Ok(stored)
    }

    /// Waits until no other process changes or refreshes these credentials.
    ///
    /// # Errors
    /// [`CredentialsError::Busy`] after 45 seconds; [`CredentialsError::Io`].
    pub async fn lock(&self) -> Result<Lock, CredentialsError> {
        self.lock_within(LOCK_PATIENCE).await
    }

    async fn lock_within(&self, patience: Duration) -> Result<Lock, CredentialsError> {
        let path = self.directory.join(LOCK);
        let refused = |reason| CredentialsError::Io { path: path.clone(), reason };
        private_file::create_directory(&self.directory).map_err(refused)?;
        let file = private_file::open(&path).map_err(refused)?;
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Lock { _file: file }),
                Err(TryLockError::Error(reason)) => return Err(refused(reason)),
                Err(TryLockError::WouldBlock) if tokio::time::Instant::now() >= deadline => {
                    return Err(CredentialsError::Busy { path });
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_INTERVAL).await,
            }
        }
    }

    /// Changes what is kept, under the caller's lock.
    ///
    /// # Errors
    /// [`CredentialsError`]; the old content is then still there.
    pub fn change<T>(
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
        let content = serde_json::to_vec_pretty(stored)
            .map_err(|error| refused(&path, io::Error::from(error)))?;
        private_file::replace(&path, &content).map_err(|reason| refused(&path, reason))
    }
}

#[cfg(test)]
mod tests;
