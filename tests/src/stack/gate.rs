//! A gate next to the stack, in front of a server that a test brings.

use std::{fs, path::Path, time::Duration};

use clap::Parser;
use gate::{Gate, config::Config};
use serde_json::Value;
use tokio::{sync::oneshot, task::JoinHandle};

use super::{Place, Stack, with};
use crate::waiting::looks;

/// How often a file is looked at that a thread of the gate writes.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// The records of the audit in a file, once there are so many.
pub async fn audit_records(file: &Path, count: usize) -> Vec<Value> {
    let mut looks = looks(LOOK_INTERVAL);
    loop {
        let text = fs::read_to_string(file).unwrap_or_default();
        let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let records: Vec<Value> =
            lines.map(|line| serde_json::from_str(line).expect("a record")).collect();
        if records.len() >= count {
            return records;
        }
        looks.tick().await;
    }
}

/// Starts the gate with further options; its resource.
pub async fn start(stack: &Stack, upstream: &str, further: &[&str]) -> String {
    start_with(stack, &[&["--upstream", upstream], further].concat()).await
}

/// Starts the gate with these options; its resource.
pub async fn start_with(stack: &Stack, further: &[&str]) -> String {
    let Running { resource, stop, .. } = run(stack, further).await;
    // It runs as long as the test.
    std::mem::forget(stop);
    resource
}

/// Starts a gate that answers a proxy about requests to `resource`; its URL.
pub async fn start_forward_auth(stack: &Stack, resource: &str, further: &[&str]) -> String {
    let place = Place::free().await;
    let options = ["gate", "--resource", resource, "--issuer", &stack.issuer];
    let config = Config::try_parse_from(with(options.map(str::to_owned).into(), further));
    let config = config.expect("settings");
    let gate = Gate::new(&config, stack.time.clock()).expect("a gate");
    let url = format!("http://{}", place.listener.local_addr().expect("an address"));
    tokio::spawn(gate.serve(place.listener, std::future::pending()));
    url
}

/// A gate that runs until it is stopped.
pub struct Running {
    pub resource: String,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl Running {
    /// Stops it, and waits for its end.
    pub async fn stop(self) {
        drop(self.stop);
        self.ended.await.expect("an end");
    }
}

/// Starts the gate in front of the harness's server over stdin and stdout.
pub async fn start_to_stop(stack: &Stack, of_server: &[&str]) -> Running {
    let command = server_command(of_server);
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    run(stack, &[&["--"], &command[..]].concat()).await
}

async fn run(stack: &Stack, further: &[&str]) -> Running {
    let place = Place::free().await;
    let resource = format!("{}/mcp", place.url);
    let options = ["gate", "--resource", &resource, "--issuer", &stack.issuer];
    let options = options.map(str::to_owned).into();
    let config = Config::try_parse_from(with(options, further)).expect("settings");
    let gate = Gate::new(&config, stack.time.clock()).expect("a gate");
    let (stop, stopped) = oneshot::channel();
    let stopped = async { drop(stopped.await) };
    let ended = tokio::spawn(gate.serve(place.listener, stopped));
    Running { resource, stop, ended }
}

/// Starts the gate in front of the harness's server over stdin and stdout, with options of the gate and
/// of the server; its resource.
pub async fn start_stdio(stack: &Stack, options: &[&str], of_server: &[&str]) -> String {
    let command = server_command(of_server);
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    start_with(stack, &[options, &["--"], &command].concat()).await
}

/// The command of the harness's server over stdin and stdout, with its options.
pub fn server_command(options: &[&str]) -> Vec<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/stack/stdio-server.mjs");
    let command = ["node".to_owned(), script.display().to_string()];
    command.into_iter().chain(options.iter().map(|option| (*option).to_owned())).collect()
}
