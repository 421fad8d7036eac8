//! The server behind the gate, over HTTP or as a child of the gate.

mod http;
mod stdio;

use std::future::pending;

use axum::{extract::Request, response::Response};
use net::clock::Clock;

use self::{http::HttpUpstream, stdio::StdioUpstream};
use crate::{
    config::{Config, ConfigError},
    identity::Identity,
};

/// The server behind the gate. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) enum Upstream {
    Http(HttpUpstream),
    Stdio(StdioUpstream),
}

impl Upstream {
    pub(crate) fn new(
        config: &Config,
        identity: Identity,
        clock: Clock,
    ) -> Result<Self, ConfigError> {
        Ok(match &config.upstream {
            Some(url) => Self::Http(HttpUpstream::new(config, url, identity)?),
            None => Self::Stdio(StdioUpstream::new(config, identity, clock)),
        })
    }

    /// Passes a request that the guard has admitted, and the response as it comes.
    pub(crate) async fn pass(&self, request: Request) -> Response {
        match self {
            Self::Http(upstream) => upstream.pass(request).await,
            Self::Stdio(upstream) => upstream.pass(request).await,
        }
    }

    /// Stops what is idle, for as long as the gate runs.
    pub(crate) async fn keep_up(&self) {
        match self {
            Self::Http(_) => pending().await,
            Self::Stdio(upstream) => upstream.keep_up().await,
        }
    }

    /// Ends what the gate has started.
    pub(crate) async fn stop(&self) {
        if let Self::Stdio(upstream) = self {
            upstream.stop().await;
        }
    }
}
