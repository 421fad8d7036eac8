//! The servers that the user has named, and the one in use, in a file of their own.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    error::Error,
    files::{file_lock::FileLock, private_file},
};

/// How long to wait for the lock, which is far longer than any change takes.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// The names, and where they are kept.
#[derive(Clone, Debug)]
pub(crate) struct Servers {
    path: PathBuf,
    named: Named,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Named {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    in_use: Option<String>,
    #[serde(default)]
    servers: BTreeMap<String, Url>,
}

impl Servers {
    /// What `directory` holds; nothing if there is no such file.
    pub(crate) fn read(directory: &Path) -> Result<Self, Error> {
        let path = directory.join("servers.json");
        let named = Named::read(&path).map_err(Error::Servers)?;
        Ok(Self { path, named })
    }

    /// The address of the server called `name`.
    pub(crate) fn address(&self, name: &str) -> Option<&Url> {
        self.named.servers.get(name)
    }

    /// The server in use, if one was chosen.
    pub(crate) fn in_use(&self) -> Option<(&str, &Url)> {
        self.named.in_use()
    }

    /// All names with their addresses.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Url)> {
        self.named.servers.iter().map(|(name, url)| (name.as_str(), url))
    }

    /// The error for an unknown `name`.
    pub(crate) fn unknown(&self, name: &str) -> Error {
        let names: Vec<_> = self.all().map(|(name, _)| name).collect();
        let hint = if names.is_empty() {
            "name one with `client add NAME URL`".to_owned()
        } else {
            format!("there are {}", names.join(", "))
        };
        Error::Usage { message: format!("no server is called `{name}`"), hint: Some(hint) }
    }

    /// Names a server; the first one is in use at once.
    pub(crate) async fn add(&mut self, name: &str, address: &Url) -> Result<(), Error> {
        let _lock = self.lock_and_read().await?;
        self.named.servers.insert(name.to_owned(), address.clone());
        if self.named.in_use().is_none() {
            self.named.in_use = Some(name.to_owned());
        }
        self.write()
    }

    /// Uses the server called `name` from now on.
    pub(crate) async fn choose(&mut self, name: &str) -> Result<(), Error> {
        let _lock = self.lock_and_read().await?;
        if !self.named.servers.contains_key(name) {
            return Err(self.unknown(name));
        }
        self.named.in_use = Some(name.to_owned());
        self.write()
    }

    /// Forgets the name. Tokens stay: `logout` ends them.
    pub(crate) async fn remove(&mut self, name: &str) -> Result<(), Error> {
        let _lock = self.lock_and_read().await?;
        if self.named.servers.remove(name).is_none() {
            return Err(self.unknown(name));
        }
        self.named.in_use.take_if(|in_use| *in_use == name);
        self.write()
    }

    /// Reads the file again under a lock, because other processes change it too.
    async fn lock_and_read(&mut self) -> Result<FileLock, Error> {
        let lock = FileLock::acquire(&self.path.with_extension("lock"), LOCK_TIMEOUT).await;
        let lock = lock.map_err(|error| Error::Servers(error.into()))?;
        self.named = Named::read(&self.path).map_err(Error::Servers)?;
        Ok(lock)
    }

    fn write(&self) -> Result<(), Error> {
        let content = serde_json::to_vec_pretty(&self.named).map_err(io::Error::from);
        content
            .and_then(|content| private_file::replace(&self.path, &content))
            .map_err(Error::Servers)
    }
}

impl Named {
    fn read(path: &Path) -> io::Result<Self> {
        match fs::read(path) {
            Ok(content) => Ok(serde_json::from_slice(&content)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    fn in_use(&self) -> Option<(&str, &Url)> {
        let name = self.in_use.as_deref()?;
        Some((name, self.servers.get(name)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("a URL")
    }

    #[tokio::test]
    async fn the_first_server_is_in_use_until_another_is_chosen_or_it_is_removed() {
        let home = tempfile::tempdir().expect("a directory");
        let read = || Servers::read(home.path()).expect("read");
        let in_use = || read().in_use().map(|(name, _)| name.to_owned());
        assert_eq!(in_use(), None);
        read().add("demo", &url("http://localhost:3001/mcp")).await.expect("written");
        read().add("work", &url("https://mcp.example.com/mcp")).await.expect("written");
        assert_eq!(in_use().as_deref(), Some("demo"));
        read().choose("work").await.expect("written");
        assert!(matches!(read().choose("wrok").await, Err(Error::Usage { .. })));
        assert_eq!(in_use().as_deref(), Some("work"));
        read().remove("work").await.expect("written");
        assert!(matches!(read().remove("work").await, Err(Error::Usage { .. })));
        assert!(in_use().is_none() && read().all().count() == 1);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn names_that_are_given_at_the_same_time_are_all_kept() {
        let home = tempfile::tempdir().expect("a directory");
        let adding = (0..16).map(|number| {
            // Each has read the file before any other has changed it.
            let mut servers = Servers::read(home.path()).expect("read");
            let address = url("https://mcp.example.com/mcp");
            tokio::spawn(async move { servers.add(&format!("s{number}"), &address).await })
        });
        for added in adding.collect::<Vec<_>>() {
            added.await.expect("ended").expect("written");
        }
        assert_eq!(Servers::read(home.path()).expect("read").all().count(), 16);
    }

    #[tokio::test]
    async fn nobody_changes_the_names_while_another_does() {
        let home = tempfile::tempdir().expect("a directory");
        let mut theirs = Servers::read(home.path()).expect("read");
        let lock = FileLock::acquire(&home.path().join("servers.lock"), LOCK_TIMEOUT).await;
        let address = url("https://mcp.example.com/mcp");
        let mut ours = theirs.clone();
        let adding = tokio::spawn(async move { ours.add("ours", &address).await });
        tokio::task::yield_now().await;
        theirs.named.servers.insert("theirs".to_owned(), url("https://mcp.example.com/b"));
        let content = serde_json::to_vec(&theirs.named).expect("JSON");
        private_file::replace(&theirs.path, &content).expect("written");
        drop(lock.expect("locked"));
        adding.await.expect("ended").expect("written");
        assert_eq!(Servers::read(home.path()).expect("read").all().count(), 2);
    }
}
