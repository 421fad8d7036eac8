//! The servers in the configuration files of MCP clients.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use url::Url;

use crate::error::Error;

/// Files of known clients in the home directory: Claude Code, Claude Desktop on Linux and macOS,
/// Cursor, Codex, Gemini CLI and VS Code.
const AT_HOME: [&str; 7] = [
    ".claude.json",
    ".config/Claude/claude_desktop_config.json",
    "Library/Application Support/Claude/claude_desktop_config.json",
    ".cursor/mcp.json",
    ".codex/config.toml",
    ".gemini/settings.json",
    ".config/Code/User/mcp.json",
];
/// The same in the folder of a project.
const IN_PROJECT: [&str; 4] =
    [".mcp.json", ".cursor/mcp.json", ".vscode/mcp.json", ".gemini/settings.json"];
/// What clients call their list of servers.
const LISTS: [&str; 3] = ["mcpServers", "mcp_servers", "servers"];
/// What they call the address of one.
const ADDRESSES: [&str; 3] = ["url", "httpUrl", "serverUrl"];
/// Claude Code keeps the history of all projects in the same file.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;
const MAX_SERVERS: usize = 100;
const MAX_DEPTH: usize = 4;

/// A server as a client knows it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Configured {
    pub(super) name: String,
    pub(super) address: Url,
    pub(super) file: PathBuf,
}

impl Configured {
    /// The address without what may be a secret in it.
    pub(super) fn shown_address(&self) -> String {
        let mut shown = self.address.clone();
        let _ = shown.set_username("");
        let _ = shown.set_password(None);
        shown.set_query(None);
        shown.into()
    }

    /// `text` with the address as it may be shown.
    pub(super) fn without_secrets(&self, text: &str) -> String {
        text.replace(self.address.as_str(), &self.shown_address())
    }
}

/// The servers with an address in `files`, each once; without files, in those of known clients.
pub(super) fn read(files: &[PathBuf], home: Option<&Path>) -> Result<Vec<Configured>, Error> {
    let mut servers = Vec::new();
    if files.is_empty() {
        let at_home = home.into_iter().flat_map(|home| AT_HOME.map(|name| home.join(name)));
        for file in at_home.chain(IN_PROJECT.map(PathBuf::from)).filter(|file| file.exists()) {
            collect(&parse(&file)?, &file, MAX_DEPTH, &mut servers);
        }
    }
    for file in files {
        collect(&parse(file)?, file, MAX_DEPTH, &mut servers);
    }
    if servers.is_empty() {
        return Err(Error::Usage {
            message: "no client configuration names an MCP server with an address".to_owned(),
            hint: Some("name the file: client doctor --config FILE".to_owned()),
        });
    }
    Ok(servers)
}

fn parse(file: &Path) -> Result<Value, Error> {
    let failed = |why: String| Error::Usage {
        message: format!("cannot read {}: {why}", file.display()),
        hint: None,
    };
    let length = fs::metadata(file).map_err(|error| failed(error.to_string()))?.len();
    if length > MAX_FILE_BYTES {
        return Err(failed(format!("it has more than {MAX_FILE_BYTES} bytes")));
    }
    let text = fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
    if file.extension().is_some_and(|extension| extension == "toml") {
        return toml::from_str(&text).map_err(|error| failed(error.message().to_owned()));
    }
    serde_json::from_str(&text).map_err(|error| failed(error.to_string()))
}

/// Adds the servers of each list in `value`, which may be deeper, as for each project.
fn collect(value: &Value, file: &Path, depth: usize, servers: &mut Vec<Configured>) {
    let Some(members) = value.as_object().filter(|_| depth > 0) else { return };
    for (name, member) in members {
        let list = member.as_object().filter(|_| LISTS.contains(&name.as_str()));
        for (name, server) in list.into_iter().flatten() {
            let Some(address) = address(server) else { continue };
            let is_known = servers.iter().any(|one| one.address == address);
            if !is_known && servers.len() < MAX_SERVERS {
                servers.push(Configured { name: name.clone(), address, file: file.to_owned() });
            }
        }
        if list.is_none() {
            collect(member, file, depth - 1, servers);
        }
    }
}

/// The address of a server; `None` of a program, unless it is mcp-remote, which is called with one.
fn address(server: &Value) -> Option<Url> {
    let named = ADDRESSES.iter().find_map(|name| server.get(name)?.as_str());
    let words = server.get("args").and_then(Value::as_array).into_iter().flatten();
    let words: Vec<_> = words.filter_map(Value::as_str).collect();
    let is_remote = words.iter().any(|word| word.starts_with("mcp-remote"));
    let called = words.into_iter().filter(|_| is_remote).find(|word| word.starts_with("http"));
    let address = Url::parse(named.or(called)?).ok()?;
    matches!(address.scheme(), "http" | "https").then_some(address)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(document: &Value) -> Vec<(String, String)> {
        let mut servers = Vec::new();
        collect(document, Path::new("file"), MAX_DEPTH, &mut servers);
        servers.into_iter().map(|one| (one.name.clone(), one.shown_address())).collect()
    }

    #[test]
    fn servers_are_found_as_each_client_writes_them_and_secrets_are_not_shown() {
        let document = json!({
            "mcpServers": {
                "cursor": {"url": "https://user:secret@cursor.example/mcp?key=secret"},
                "gemini": {"httpUrl": "https://gemini.example/mcp"},
                "desktop": {"command": "npx", "args": ["-y", "mcp-remote@latest", "https://remote.example/mcp"]},
                "program": {"command": "npx", "args": ["-y", "server", "https://other.example"]},
            },
            "projects": {"/home/nick/notes": {"mcpServers": {"claude": {"type": "http", "url": "https://claude.example/mcp"}}}},
            "servers": {"code": {"url": "https://code.example/mcp"}, "again": {"url": "https://claude.example/mcp"}},
        });
        let names = ["cursor", "gemini", "remote", "claude", "code"];
        let addresses = names.map(|name| format!("https://{name}.example/mcp"));
        let found = found(&document);
        assert_eq!(found.iter().map(|one| one.1.clone()).collect::<Vec<_>>(), addresses);
        assert_eq!(found[2].0, "desktop");

        let address = Url::parse("https://user:pass@as.example/mcp?key=secret").expect("a URL");
        let name = "notes".to_owned();
        let server = Configured { name, address, file: PathBuf::from("file") };
        let told = server.without_secrets(&format!("cannot reach {}: refused", server.address));
        assert_eq!(told, "cannot reach https://as.example/mcp: refused");
    }

    #[test]
    fn codex_writes_toml() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config.toml");
        fs::write(&file, "[mcp_servers.notes]\nurl = \"https://mcp.example.com/mcp\"\n")
            .expect("a file");
        let servers = read(&[file], None).expect("a server");
        assert_eq!(servers[0].shown_address(), "https://mcp.example.com/mcp");
        assert_eq!(servers[0].name, "notes");
    }
}
