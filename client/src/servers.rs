//! The servers that the person has named, and the one in use, in a file of their own.

use std::{collections::BTreeMap, fs, io, path::Path, path::PathBuf};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{error::Error, private_file};

/// The names, and where they are kept.
#[derive(Clone, Debug)]
pub struct Servers {
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
    ///
    /// # Errors
    /// The operating system's error, or one of kind `InvalidData` if the file is not ours.
    pub fn read(directory: &Path) -> io::Result<Self> {
        let path = directory.join("servers.json");
        let named = match fs::read(&path) {
            Ok(content) => serde_json::from_slice(&content)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Named::default(),
            Err(error) => return Err(error),
        };
        Ok(Self { path, named })
    }

    /// The address of the server called `name`.
    pub fn address(&self, name: &str) -> Option<&Url> {
        self.named.servers.get(name)
    }

    /// The server in use, if one was chosen.
    pub fn in_use(&self) -> Option<(&str, &Url)> {
        let name = self.named.in_use.as_deref()?;
        Some((name, self.address(name)?))
    }

    /// All names with their addresses.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Url)> {
        self.named.servers.iter().map(|(name, url)| (name.as_str(), url))
    }

    /// What is said when no server is called `name`.
    pub fn unknown(&self, name: &str) -> Error {
        let names: Vec<_> = self.all().map(|(name, _)| name).collect();
        let hint = match names.is_empty() {
            true => "name one with `client add NAME URL`".to_owned(),
            false => format!("there are {}", names.join(", ")),
        };
        Error::Usage { message: format!("no server is called `{name}`"), hint: Some(hint) }
    }

    /// Names a server; the first one is in use at once.
    ///
    /// # Errors
    /// The operating system's error when the file cannot be written.
    pub fn add(&mut self, name: &str, address: &Url) -> io::Result<()> {
        self.named.servers.insert(name.to_owned(), address.clone());
        if self.in_use().is_none() {
            self.named.in_use = Some(name.to_owned());
        }
        self.write()
    }

    /// Uses the server called `name` from now on; `false` if there is none.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn choose(&mut self, name: &str) -> io::Result<bool> {
        if self.address(name).is_none() {
            return Ok(false);
        }
        self.named.in_use = Some(name.to_owned());
        self.write().map(|()| true)
    }

    /// Forgets the name; `false` if there is none. Tokens stay: `logout` ends them.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn remove(&mut self, name: &str) -> io::Result<bool> {
        if self.named.servers.remove(name).is_none() {
            return Ok(false);
        }
        if self.named.in_use.as_deref() == Some(name) {
            self.named.in_use = None;
        }
        self.write().map(|()| true)
    }

    fn write(&self) -> io::Result<()> {
        self.path.parent().map_or(Ok(()), private_file::create_directory)?;
        private_file::replace(&self.path, &serde_json::to_vec_pretty(&self.named)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_server_is_in_use_until_another_is_chosen_or_it_is_removed() {
        let home = tempfile::tempdir().expect("a directory");
        let read = || Servers::read(home.path()).expect("read");
        let url = |text: &str| Url::parse(text).expect("a URL");
        assert!(read().in_use().is_none());
        read().add("demo", &url("http://localhost:3001/mcp")).expect("written");
        read().add("work", &url("https://mcp.example.com/mcp")).expect("written");
        assert_eq!(read().in_use().map(|(name, _)| name.to_owned()).as_deref(), Some("demo"));
        assert!(read().choose("work").expect("written") && !read().choose("wrok").expect("read"));
        assert_eq!(read().in_use().map(|(name, _)| name.to_owned()).as_deref(), Some("work"));
        assert!(read().remove("work").expect("written") && !read().remove("work").expect("read"));
        assert!(read().in_use().is_none() && read().all().count() == 1);
    }
}
