//! A small MCP server behind the guard: one tool, prompt or resource for each feature of the
//! protocol, and the lines that protect them.

mod completion;
pub mod config;
mod notes;
pub mod program;
mod prompts;
mod resources;
pub mod server;
mod tools;

use std::{future::Future, time::Duration};

use axum::{Extension, Router, routing::get};
use guard::{Guard, GuardError, Stopping};
use net::clock::Clock;
use rmcp::transport::streamable_http_server::{
    StreamableHttpService, session::local::LocalSessionManager,
};
use tokio::net::TcpListener;

use crate::{
    config::{Config, Dpop},
    server::{DemoServer, PROMPTS, TOOLS},
};

/// The whole server: the MCP endpoint behind the guard, its metadata, and `/health`.
///
/// # Errors
/// The settings do not make a guard.
pub fn router(config: &Config, clock: Clock) -> Result<Router, GuardError> {
    let mut guard = Guard::new(&config.resource, &config.issuers)
        .with_name("MCP demo")
        .with_scopes(["mcp:tools", "profile", "email"])
        .with_implied_scopes("notes:write", ["mcp:tools"])
        .with_tools(TOOLS.list_all())
        .with_prompts(PROMPTS.list_all())
        .with_resources(resources::resources())
        .with_templates(resources::templates())
        .with_allowed_hosts(&config.allowed_hosts)
        .with_allowed_origins(&config.allowed_origins)
        .with_revocations(config.revocations)
        .with_groups_claim(&config.groups_claim)
        .with_clock(clock);
    if let (Some(id), Some(secret)) =
        (&config.introspection_client_id, config.introspection_secret())
    {
        guard = guard.with_introspection(id, secret);
    }
    if config.dpop == Dpop::Required {
        guard = guard.with_bound_tokens_only();
    }
    if config.dpop_nonces {
        guard = guard.with_dpop_nonces();
    }
    if config.facade {
        guard = guard.with_facade();
    }
    let guard = guard.build()?;
    let mut sessions = LocalSessionManager::default();
    // By default rmcp keeps each response for a minute, in case the client comes back for it, so a
    // caller could fill the memory. Now each is dropped at the next request of its session.
    sessions.session_config.completed_cache_ttl = Duration::ZERO;
    let server = DemoServer::new(config.account()?)?;
    let service =
        StreamableHttpService::new(move || Ok(server.clone()), sessions.into(), guard.transport());
    let health = Router::new().route("/health", get(async || "ok"));
    // The router that is merged last serves the metadata at the root.
    Ok(guard.clone().require_host(health).merge(guard.protect(service)))
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
