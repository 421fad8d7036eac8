//! A gate next to the stack, in front of a server that a test brings.

use std::{fs, path::Path, time::Duration};

use clap::Parser;
use gate::config::Config;
use serde_json::Value;

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
    let place = Place::free().await;
    let resource = format!("{}/mcp", place.url);
    let options =
        ["gate", "--upstream", upstream, "--resource", &resource, "--issuer", &stack.issuer];
    let options = options.map(str::to_owned).into();
    let config = Config::try_parse_from(with(options, further)).expect("settings");
    let router = gate::router(&config, stack.time.clock()).expect("a router");
    tokio::spawn(gate::serve(place.listener, router, std::future::pending()));
    resource
}

/// Starts a gate that answers a proxy about requests to `resource`; its URL.
pub async fn start_forward_auth(stack: &Stack, resource: &str, further: &[&str]) -> String {
    let place = Place::free().await;
    let options = ["gate", "--resource", resource, "--issuer", &stack.issuer];
    let config = Config::try_parse_from(with(options.map(str::to_owned).into(), further));
    let config = config.expect("settings");
    let router = gate::router(&config, stack.time.clock()).expect("a router");
    let url = format!("http://{}", place.listener.local_addr().expect("an address"));
    tokio::spawn(gate::serve(place.listener, router, std::future::pending()));
    url
}
