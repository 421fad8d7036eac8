//! Sign-in in front of any MCP server: the guard, and behind it a server that knows nothing of tokens.
//!
//! A request passes every check of the guard. Then it goes to the upstream without the caller's token
//! and without headers that only the gate may set, and with a signed statement of who calls.

mod audit;
pub mod commands;
pub mod config;
mod config_file;
mod failure;
mod forward_auth;
mod headers;
mod identity;
mod identity_key;
pub mod program;
mod rules;
mod upstream;

use std::{
    convert::Infallible,
    future::{Future, pending},
};

use axum::{Extension, Router, extract::Request, response::Response, routing::get};
use guard::{Guard, GuardError, Stopping};
use net::clock::Clock;
use thiserror::Error;
use tokio::net::TcpListener;
use tower::service_fn;

use crate::{
    audit::{Audit, AuditError},
    config::{Config, ConfigError},
    identity::Identity,
    identity_key::IdentityKeyError,
    rules::{Gatekeeper, PinsError},
    upstream::Upstream,
};

/// The gate cannot start.
#[derive(Debug, Error)]
pub enum GateError {
    /// A setting is invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The settings do not make a guard.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// The keys that sign identities cannot be used.
    #[error(transparent)]
    Key(#[from] IdentityKeyError),
    /// The file of accepted tools cannot be read.
    #[error(transparent)]
    Pins(#[from] PinsError),
    /// The file of the audit cannot be written.
    #[error(transparent)]
    Audit(#[from] AuditError),
}

/// The whole gate, and the children that it starts.
#[derive(Debug)]
pub struct Gate {
    router: Router,
    upstream: Option<Upstream>,
    stopping: Stopping,
}

impl Gate {
    /// Checks the settings. Children are started when they are needed.
    ///
    /// # Errors
    /// [`GateError`] says which setting is wrong.
    pub fn new(config: &Config, clock: Clock) -> Result<Self, GateError> {
        config.check()?;
        let mut guard = Guard::new(&config.resource, &config.issuers)
            .with_scopes(&config.scopes)
            .with_allowed_hosts(&config.allowed_hosts)
            .with_allowed_origins(&config.allowed_origins)
            .with_revocations(config.revocations)
            .with_profile(config.profile)
            .with_audiences(&config.audiences)
            .with_clock(clock.clone());
        if let Some(name) = &config.name {
            guard = guard.with_name(name);
        }
        if config.facade {
            guard = guard.with_facade();
        }
        let guard = guard.build()?;
        let identity = Identity::new(config, clock.clone())?;
        let open = Router::new()
            .route("/health", get(async || "ok"))
            .route(identity::JWKS_PATH, get(identity.key_set()));
        let stopping = Stopping::default();
        if let Some(proxy) = config.proxy.forward_auth {
            let asked = forward_auth::router(proxy, config, guard.clone(), identity);
            let open = open.merge(guard.metadata());
            let router = guard.require_host(open.merge(asked));
            return Ok(Self { router, upstream: None, stopping });
        }
        let upstream = Upstream::new(config, identity, clock.clone())?;
        let passage = Passage {
            gatekeeper: Gatekeeper::new(config.rules()?, clock.clone())?,
            audit: Audit::new(&config.audit, clock)?,
            upstream: upstream.clone(),
        };
        let service = service_fn(move |request: Request| {
            let passage = passage.clone();
            async move { Ok::<_, Infallible>(passage.pass(request).await) }
        });
        // The router that is merged last serves the metadata at the root.
        let router = guard.clone().require_host(open).merge(guard.protect(service));
        Ok(Self { router, upstream: Some(upstream), stopping })
    }

    /// The MCP endpoint in front of the upstream, its metadata, the keys of the identity that upstreams
    /// are given, and `/health`.
    pub fn router(&self) -> Router {
        self.router.clone().layer(Extension(self.stopping.clone()))
    }

    /// Ends the streams on which clients listen, so that they do not delay a stop.
    pub fn end_streams(&self) {
        self.stopping.0.cancel();
    }

    /// Stops children that are not used, for as long as the gate serves.
    pub async fn keep_up(&self) {
        match &self.upstream {
            Some(upstream) => upstream.keep_up().await,
            None => pending().await,
        }
    }

    /// Stops all children, and waits until they have ended.
    pub async fn stop(&self) {
        if let Some(upstream) = &self.upstream {
            upstream.stop().await;
        }
    }

    /// Serves until `shutdown`, then ends the streams on which clients listen, lets the requests in progress
    /// finish, and stops the children.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let router = self.router();
        let shutdown = async {
            shutdown.await;
            self.end_streams();
        };
        tokio::select! {
            () = net::connections::serve(listener, router, shutdown) => {}
            () = self.keep_up() => {}
        }
        self.stop().await;
    }
}

/// What a request passes behind the guard: the audit, the rules, the upstream. Cheap to clone.
#[derive(Clone)]
struct Passage {
    audit: Audit,
    gatekeeper: Gatekeeper,
    upstream: Upstream,
}

impl Passage {
    async fn pass(&self, request: Request) -> Response {
        let Self { audit, gatekeeper, upstream } = self;
        let passing = audit.pass(request, async |request| {
            gatekeeper.pass(request, async |request| upstream.pass(request).await).await
        });
        passing.await
    }
}
