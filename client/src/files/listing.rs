//! The tools that each server listed last, so that a shell can complete their names without asking
//! the server.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use url::Url;

use crate::files::private_file;

/// Servers and tools that are kept; more would slow a shell down.
const MAX_SERVERS: usize = 50;
const MAX_TOOLS: usize = 500;

/// Names and descriptions by server. Losing them does no harm, so failures of the file are ignored.
#[derive(Debug)]
pub(crate) struct Listing {
    path: PathBuf,
    tools: BTreeMap<String, Vec<(String, String)>>,
}

impl Listing {
    pub(crate) fn read(directory: &Path) -> Self {
        let path = directory.join("listing.json");
        let content = fs::read(&path).unwrap_or_default();
        Self { tools: serde_json::from_slice(&content).unwrap_or_default(), path }
    }

    /// The tools of `server` with their descriptions.
    pub(crate) fn tools(&self, server: &Url) -> &[(String, String)] {
        self.tools.get(server.as_str()).map(Vec::as_slice).unwrap_or_default()
    }

    /// Keeps what `server` has listed, if it is not what is kept.
    pub(crate) fn keep(&mut self, server: &Url, tools: impl Iterator<Item = (String, String)>) {
        let tools: Vec<_> = tools.take(MAX_TOOLS).collect();
        if self.tools(server) == tools {
            return;
        }
        self.tools.insert(server.to_string(), tools);
        while self.tools.len() > MAX_SERVERS {
            let other = self.tools.keys().find(|known| known.as_str() != server.as_str()).cloned();
            self.tools.remove(&other.unwrap_or_default());
        }
        let content = serde_json::to_vec(&self.tools).unwrap_or_default();
        let _ = private_file::replace(&self.path, &content);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_list_of_each_server_stays_and_the_file_is_bounded() {
        let home = tempfile::tempdir().expect("a directory");
        let server = |number| Url::parse(&format!("https://{number}.example/mcp")).expect("a URL");
        let tool = |name: &str| vec![(name.to_owned(), "Greets".to_owned())];
        for number in 0..=MAX_SERVERS {
            let mut listing = Listing::read(home.path());
            listing.keep(&server(number), tool("old").into_iter());
            listing.keep(&server(number), tool("new").into_iter());
        }
        let listing = Listing::read(home.path());
        assert_eq!(listing.tools(&server(MAX_SERVERS)), tool("new"));
        assert_eq!(listing.tools.len(), MAX_SERVERS);
        fs::write(home.path().join("listing.json"), "[1]").expect("written");
        assert!(Listing::read(home.path()).tools.is_empty());
    }
}
