//! The keys that sign identities, in memory or in a file that outlives the process.
//!
//! The first key of the file signs, and all are published. So a key can be published before it signs, and
//! for as long as an identity that it has signed may be on its way.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use keys::{Algorithm, KeyError, PublicJwk, SigningKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

/// The file with the keys cannot be used.
#[derive(Debug, Error)]
pub enum IdentityKeyError {
    /// It cannot be read or written.
    #[error("the identity keys in {} cannot be used: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// It holds something else than private keys.
    #[error(
        "{} must hold a JWK Set with the private keys that the gate has written there", .0.display()
    )]
    Content(PathBuf),
    /// There is only one key.
    #[error("{} has no further key; run `gate identity-key add` first", .0.display())]
    NoOther(PathBuf),
    /// A key cannot be generated.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// The keys. The first one signs.
#[derive(Debug)]
pub(crate) struct IdentityKeys {
    pub(crate) current: SigningKey,
    others: Vec<SigningKey>,
}

#[derive(Serialize, Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl IdentityKeys {
    /// A new key that nothing remembers.
    pub(crate) fn generate() -> Result<Self, KeyError> {
        Ok(Self { current: SigningKey::generate(Algorithm::ES256)?, others: Vec::new() })
    }

    /// The keys of a file, which is made if it is not there. Of several replicas that start at once, one
    /// makes it.
    pub(crate) fn load_or_create(path: &Path) -> Result<Self, IdentityKeyError> {
        if !path.exists() {
            let failed = |cause| IdentityKeyError::File { path: path.into(), cause };
            let temporary = path.with_extension(std::process::id().to_string());
            Self::generate()?.write(&temporary)?;
            // A link never replaces a file, and never shows half of one.
            let linked = fs::hard_link(&temporary, path);
            fs::remove_file(&temporary).map_err(failed)?;
            linked
                .or_else(|error| match error.kind() {
                    io::ErrorKind::AlreadyExists => Ok(()),
                    _ => Err(error),
                })
                .map_err(failed)?;
        }
        Self::load(path)
    }

    pub(crate) fn load(path: &Path) -> Result<Self, IdentityKeyError> {
        let failed = |cause| IdentityKeyError::File { path: path.into(), cause };
        let text = fs::read(path).map_err(failed)?;
        if fs::metadata(path).map_err(failed)?.mode() & 0o077 != 0 {
            tracing::warn!("other users can read {}; run chmod 600 on it", path.display());
        }
        let content = || IdentityKeyError::Content(path.into());
        let document: Document = serde_json::from_slice(&text).map_err(|_| content())?;
        let keys =
            document.keys.iter().map(|key| SigningKey::from_json(key.to_string().as_bytes()));
        let keys: Vec<SigningKey> = keys.collect::<Result<_, _>>().map_err(|_| content())?;
        let mut keys = keys.into_iter();
        let current = keys.next().ok_or_else(content)?;
        Ok(Self { current, others: keys.collect() })
    }

    /// The public halves.
    pub(crate) fn public(&self) -> Vec<&PublicJwk> {
        self.all().map(SigningKey::public_jwk).collect()
    }

    /// Adds a key that is published and does not sign yet.
    pub(crate) fn add(mut self, path: &Path) -> Result<Self, IdentityKeyError> {
        self.others.push(SigningKey::generate(Algorithm::ES256)?);
        self.replace(path)
    }

    /// Has the newest key sign.
    pub(crate) fn promote(mut self, path: &Path) -> Result<Self, IdentityKeyError> {
        let newest = self.others.pop().ok_or_else(|| IdentityKeyError::NoOther(path.into()))?;
        let before = std::mem::replace(&mut self.current, newest);
        self.others.insert(0, before);
        self.replace(path)
    }

    /// Forgets the keys that do not sign.
    pub(crate) fn prune(mut self, path: &Path) -> Result<Self, IdentityKeyError> {
        self.others.clear();
        self.replace(path)
    }

    fn all(&self) -> impl Iterator<Item = &SigningKey> {
        std::iter::once(&self.current).chain(&self.others)
    }

    fn replace(self, path: &Path) -> Result<Self, IdentityKeyError> {
        let failed = |cause| IdentityKeyError::File { path: path.into(), cause };
        let temporary = path.with_extension("new");
        self.write(&temporary)?;
        fs::rename(&temporary, path).map_err(failed)?;
        Ok(self)
    }

    /// Makes a file for its owner only.
    fn write(&self, path: &Path) -> Result<(), IdentityKeyError> {
        let failed = |cause| IdentityKeyError::File { path: path.into(), cause };
        let keys = self.all().map(|key| serde_json::from_str(&key.private_jwk()));
        let keys = keys.collect::<Result<_, _>>().map_err(|error| failed(error.into()))?;
        let text = serde_json::to_vec(&Document { keys }).map_err(|error| failed(error.into()))?;
        // What a crash has left.
        let _ = fs::remove_file(path);
        let mut options = OpenOptions::new();
        let mut file =
            options.write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kids(keys: &IdentityKeys) -> Vec<String> {
        keys.public().into_iter().map(|key| key.kid.clone()).collect()
    }

    #[test]
    fn a_key_is_published_before_it_signs_and_while_what_it_signed_is_valid() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys.json");
        let first = kids(&IdentityKeys::load_or_create(&path).unwrap());
        assert_eq!(kids(&IdentityKeys::load_or_create(&path).unwrap()), first);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let load = || IdentityKeys::load(&path).unwrap();
        assert!(matches!(load().promote(&path), Err(IdentityKeyError::NoOther(_))));
        load().add(&path).unwrap();
        let added = kids(&load());
        assert_eq!((added.len(), &added[0]), (2, &first[0]));
        load().promote(&path).unwrap();
        assert_eq!(kids(&load()), [added[1].clone(), first[0].clone()]);
        load().prune(&path).unwrap();
        assert_eq!(kids(&load()), [added[1].clone()]);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_with_something_else_is_refused_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys.json");
        for text in ["", "{}", "{\"keys\":[]}", "{\"keys\":[{\"kty\":\"EC\"}]}"] {
            fs::write(&path, text).unwrap();
            let refused = IdentityKeys::load_or_create(&path).unwrap_err();
            assert!(matches!(refused, IdentityKeyError::Content(_)), "{text}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
