//! A gate next to the stack, in front of a server that a test brings.

use clap::Parser;
use gate::config::Config;

use super::{Place, Stack, with};

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
