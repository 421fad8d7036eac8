//! `github-stand-in`: GitHub's sign-in endpoints on loopback, for development without an OAuth app.

use std::{io, net::Ipv4Addr};

use clap::Parser;
use tests::stack::github::{self, StandIn};
use tokio::net::TcpListener;

/// A stand-in for GitHub that signs in anybody. It listens on 127.0.0.1 only.
#[derive(Parser)]
struct Options {
    /// Port to listen on.
    #[arg(long, default_value_t = 3002)]
    port: u16,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let Options { port } = Options::parse();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    github::serve(listener, StandIn::default()).await
}
