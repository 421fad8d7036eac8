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
mod rules;
mod upstream;

use std::{convert::Infallible, future::Future};

use axum::{Extension, Router, extract::Request, routing::get};
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

/// The whole gate: the MCP endpoint in front of the upstream, its metadata, the keys of the identity
/// that upstreams are given, and `/health`.
///
/// # Errors
/// [`GateError`] says which setting is wrong.
pub fn router(config: &Config, clock: Clock) -> Result<Router, GateError> {
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
    if let Some(proxy) = config.proxy.forward_auth {
        let asked = forward_auth::router(proxy, config, guard.clone(), identity);
        let open = open.merge(guard.metadata());
        return Ok(guard.require_host(open.merge(asked)));
    }
    let upstream = Upstream::new(config, identity)?;
    let gatekeeper = Gatekeeper::new(config.rules()?, clock.clone())?;
    let audit = Audit::new(&config.audit, clock)?;
    let service = service_fn(move |request: Request| {
        let (audit, gatekeeper, upstream) = (audit.clone(), gatekeeper.clone(), upstream.clone());
        async move {
            let passing = audit.pass(request, async |request| {
                gatekeeper.pass(request, async |request| upstream.pass(request).await).await
            });
            Ok::<_, Infallible>(passing.await)
        }
    });
    // The router that is merged last serves the metadata at the root.
    Ok(guard.clone().require_host(open).merge(guard.protect(service)))
}

/// Serves until `shutdown`, then ends the streams on which clients listen and lets the requests in
/// progress finish.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    let stopping = Stopping::default();
    let router = router.layer(Extension(stopping.clone()));
    let shutdown = async {
        shutdown.await;
        stopping.0.cancel();
    };
    net::connections::serve(listener, router, shutdown).await;
}
