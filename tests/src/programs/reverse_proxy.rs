//! nginx and Caddy, as the recipes of the documentation configure them.

use std::{fs, path::Path};

use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::process::start_server;

/// A proxy in front of a server. It stops when it is dropped.
pub struct ReverseProxy {
    _process: Child,
    _directory: TempDir,
}

/// The recipe of the documentation in the language `fence`, for a gate and a server at these URLs.
fn recipe(fence: &str, gate: &str, server: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/forward-auth.md");
    let page = fs::read_to_string(page).expect("the page");
    let (_, rest) = page.split_once(&format!("```{fence}\n")).expect("a recipe");
    let (recipe, _) = rest.split_once("\n```").expect("its end");
    let address = |url: &str| url.strip_prefix("http://").expect("http").to_owned();
    recipe.replace("127.0.0.1:3002", &address(gate)).replace("127.0.0.1:8000", &address(server))
}

impl ReverseProxy {
    /// Debian's nginx on a port, with the recipe inside its `server` block.
    pub async fn nginx(port: u16, gate: &str, server: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let at = directory.path().display();
        let recipe = recipe("nginx", gate, server);
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {at}/{kind};\n"))
            .concat();
        // Without a master there is one process, which ends with the test, and it changes no user.
        let config = format!(
            "daemon off; master_process off; pid {at}/pid; error_log stderr notice;\n\
             events {{}}\nhttp {{\naccess_log off;\n{temporary}\
             server {{\nlisten 127.0.0.1:{port};\n{recipe}\n}}\n}}\n"
        );
        let file = directory.path().join("nginx.conf");
        fs::write(&file, config).expect("a file");
        let mut command = Command::new("nginx");
        command.arg("-e").arg("stderr").arg("-c").arg(&file);
        let (process, _) = start_server(&mut command, "event method").await;
        Self { _process: process, _directory: directory }
    }

    /// Debian's Caddy on a port, without TLS.
    pub async fn caddy(port: u16, gate: &str, server: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let recipe = recipe("caddy", gate, server);
        let site = format!("http://localhost:{port} {{");
        let config = recipe.replacen("mcp.example.com {", &site, 1);
        assert_ne!(config, recipe, "the recipe names the site");
        let file = directory.path().join("Caddyfile");
        fs::write(&file, format!("{{\nadmin off\n}}\n{config}\n")).expect("a file");
        let mut command = Command::new("caddy");
        command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&file);
        command.env("HOME", directory.path()).env("XDG_DATA_HOME", directory.path());
        command.env("XDG_CONFIG_HOME", directory.path());
        let (process, _) = start_server(&mut command, "serving initial configuration").await;
        Self { _process: process, _directory: directory }
    }
}
