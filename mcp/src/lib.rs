//! An MCP server behind the guard, and the guard for anyone's.
//!
//! [`guard::Guard`] puts sign-in in front of an rmcp server: it verifies access tokens locally and
//! hands the tools a [`guard::Caller`]. The rest of the crate is a small server that shows how.

pub mod clock;
pub mod config;
pub mod guard;
pub mod server;
mod tools;

use std::{future::Future, io, sync::Arc};

use axum::{Router, routing::get, serve::ListenerExt};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};
use tokio::net::TcpListener;

use crate::{
    clock::Clock,
    config::Config,
    guard::{Guard, GuardError},
    server::DemoServer,
};

/// The whole server: `/mcp` behind the guard, its metadata, and `/health`.
pub fn router(config: &Config, clock: Clock) -> Result<Router, GuardError> {
    let mut guard = Guard::new(&config.resource, &config.issuer)
        .with_name("MCP demo")
        .with_scopes(["mcp:tools", "profile", "email"])
        .with_clock(clock);
    if let (Some(id), Some(secret)) =
        (&config.introspection_client_id, config.introspection_secret())
    {
        guard = guard.with_introspection(id, secret);
    }
    let transport = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_allowed_hosts(config.allowed_hosts())
        .with_allowed_origins(config.allowed_origins());
    let service = StreamableHttpService::new(
        || Ok(DemoServer),
        Arc::new(NeverSessionManager::default()),
        transport,
    );
    Ok(guard.build()?.protect(service).route("/health", get(async || "ok")))
}

/// Serves until `shutdown`, then lets the requests under way finish.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let listener = listener.tap_io(|stream| {
        // Small answers must not wait for the next packet; a socket that refuses is still usable.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).with_graceful_shutdown(shutdown).await
}
