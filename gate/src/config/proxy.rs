//! The settings of forward-auth.

use clap::{Args, ValueEnum};

use super::network::Network;

/// The proxy that asks whether a request may pass, and from where it may ask.
#[derive(Clone, Debug, Args)]
pub struct ProxyOptions {
    /// Pass no requests on, but answer this proxy at /forward-auth when it asks whether one may pass.
    #[arg(long, env = "GATE_FORWARD_AUTH", value_name = "PROXY", conflicts_with = "upstream")]
    pub forward_auth: Option<Proxy>,
    /// Addresses and networks from which that proxy may ask, separated by commas.
    #[arg(
        long,
        env = "GATE_FORWARD_AUTH_FROM",
        value_delimiter = ',',
        default_value = "127.0.0.0/8,::1",
        value_name = "NETWORK"
    )]
    pub(crate) forward_auth_from: Vec<Network>,
}

/// The proxy that asks. Each says in headers of its own which request it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Proxy {
    /// `auth_request`, with `X-Original-URL` and `X-Original-Method`.
    Nginx,
    /// `forward_auth`, with `X-Forwarded-Method`, `-Host` and `-Uri`.
    Caddy,
    /// `ForwardAuth`, with the same headers.
    Traefik,
}
