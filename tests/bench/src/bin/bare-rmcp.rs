//! The floor of MCP: rmcp with one tool and no authorization. `SESSIONS=1` keeps sessions, as the
//! revision of 2025-11-25 has them.

use std::{env, error::Error};

use axum::{Router, serve::ListenerExt};
use rmcp::{
    ErrorData, ServerHandler,
    handler::server::{router::tool::ToolRouter, wrapper::Parameters},
    model::{CallToolResult, ContentBlock},
    schemars, tool, tool_handler, tool_router,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use serde::Deserialize;
use tokio::net::TcpListener;

#[derive(Deserialize, schemars::JsonSchema)]
struct Echo {
    /// What to repeat.
    message: String,
}

#[derive(Clone)]
struct Server {
    tool_router: ToolRouter<Self>,
}

#[tool_router]
impl Server {
    #[tool(description = "Repeats a message")]
    async fn echo(
        &self,
        Parameters(Echo { message }): Parameters<Echo>,
    ) -> Result<CallToolResult, ErrorData> {
        Ok(CallToolResult::success(vec![ContentBlock::text(message)]))
    }
}

// Cloning a router that was built once is the cheap way of using rmcp.
#[tool_handler(router = self.tool_router)]
impl ServerHandler for Server {}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = env::var("PORT")?;
    let mut config = StreamableHttpServerConfig::default();
    config.legacy_session_mode = env::var("SESSIONS").is_ok();
    config.json_response = true;
    let server = Server { tool_router: Server::tool_router() };
    let sessions = LocalSessionManager::default().into();
    let service = StreamableHttpService::new(move || Ok(server.clone()), sessions, config);
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, Router::new().nest_service("/mcp", service)).await?;
    Ok(())
}
