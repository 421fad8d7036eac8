//! An rmcp server behind the guard.
//!
//! Needs an authorization server on <http://localhost:3000>. `make dev` runs one; stop its model
//! server on port 3001, then run `cargo run -p portcullis-guard --example guarded`.

use std::{error::Error, sync::Arc};

use portcullis_guard::{Caller, Guard, needs};
use rmcp::{
    ServerHandler, tool, tool_handler, tool_router,
    transport::streamable_http_server::{
        StreamableHttpService, session::local::LocalSessionManager,
    },
};

struct Notes;

#[tool_router]
impl Notes {
    #[tool(description = "Counts your notes", meta = needs(["mcp:tools"]))]
    async fn count(&self, caller: Caller) -> String {
        format!("{} has no notes yet.", caller.display_name())
    }
}

#[tool_handler(name = "notes", version = "1.0.0")]
impl ServerHandler for Notes {}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let guard = Guard::new("http://localhost:3001/mcp", ["http://localhost:3000"])
        .with_name("Notes")
        .with_scopes(["mcp:tools", "profile"])
        .with_tools(Notes::tool_router().list_all())
        .build()?;
    let sessions = Arc::new(LocalSessionManager::default());
    let notes = StreamableHttpService::new(|| Ok(Notes), sessions, guard.transport());
    let router = guard.protect(notes);

    let listener = tokio::net::TcpListener::bind("127.0.0.1:3001").await?;
    axum::serve(listener, router).await?;
    Ok(())
}
