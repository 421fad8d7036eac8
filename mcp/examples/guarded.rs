//! Somebody's own rmcp server, and the lines that put the guard in front of it.
//!
//! With an authorization server on <http://localhost:3000> (`make dev` has one):
//! `cargo run -p mcp --example guarded`, after stopping the demo server on port 3001.

use std::{error::Error, sync::Arc};

use mcp::guard::{Caller, Guard};
use rmcp::{
    ErrorData, ServerHandler, tool, tool_handler, tool_router,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
    },
};

struct Notes;

#[tool_router]
impl Notes {
    #[tool(description = "Counts your notes")]
    async fn count(&self, caller: Caller) -> Result<String, ErrorData> {
        caller.require(&["mcp:tools"])?;
        Ok(format!("{} has no notes yet.", caller.shown_name()))
    }
}

#[tool_handler(name = "notes", version = "1.0.0")]
impl ServerHandler for Notes {}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let notes = StreamableHttpService::new(
        || Ok(Notes),
        Arc::new(NeverSessionManager::default()),
        // A 403 can only be sent while the status is still open: no sessions, answers in JSON.
        StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_json_response(true)
            .enforce_origin_validation(),
    );

    let router = Guard::new("http://localhost:3001/mcp", "http://localhost:3000")
        .with_name("Notes")
        .with_scopes(["mcp:tools", "profile"])
        .build()?
        .protect(notes);

    let listener = tokio::net::TcpListener::bind("127.0.0.1:3001").await?;
    axum::serve(listener, router).await?;
    Ok(())
}
