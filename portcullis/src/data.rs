//! The files that `up` keeps: the master secret, and a configuration file if the operator has none.

use std::{
    fs::{DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use aws_lc_rs::rand;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// The directory of what must outlive the process.
#[derive(Clone, Debug)]
pub(crate) struct Data(PathBuf);

impl Data {
    /// Opens the directory, which is created for this user alone if it does not exist.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        Ok(Self(path.to_owned()))
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    /// Creates a file of 32 random bytes in base64url, which only this user can read, unless it exists.
    pub(crate) fn create_secret(&self, name: &str) -> io::Result<String> {
        let path = self.0.join(name);
        if !path.exists() {
            let mut secret = [0; 32];
            rand::fill(&mut secret)
                .map_err(|_| io::Error::other("the system has no randomness"))?;
            write_private(&path, &URL_SAFE_NO_PAD.encode(secret))?;
        }
        Ok(path.display().to_string())
    }

    /// Writes a file that only this user can read.
    pub(crate) fn write(&self, name: &str, text: &str) -> io::Result<String> {
        let path = self.0.join(name);
        write_private(&path, text)?;
        Ok(path.display().to_string())
    }
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}
