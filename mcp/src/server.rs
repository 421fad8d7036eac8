//! The demo server: a few tools, each in its own file.

use std::sync::LazyLock;

use rmcp::{
    ServerHandler,
    handler::server::router::tool::ToolRouter,
    model::{Implementation, ServerCapabilities, ServerConfig},
    tool_handler,
};

/// The tools, put together once: the macro's default would do it at every call.
pub(crate) static TOOLS: LazyLock<ToolRouter<DemoServer>> =
    LazyLock::new(|| DemoServer::echo_router() + DemoServer::whoami_router());

/// Asked for at every request, too.
static INFO: LazyLock<ServerConfig> = LazyLock::new(|| {
    let mut info = ServerConfig::new(ServerCapabilities::builder().enable_tools().build());
    info.server_info = Implementation::new("portcullis-demo", env!("CARGO_PKG_VERSION"));
    info.instructions =
        Some("echo says your words back to you by name; whoami tells who you are here.".into());
    info
});

/// The server. It has no state: everything it knows of a request is in its caller.
#[derive(Clone, Copy, Debug)]
pub struct DemoServer;

#[tool_handler(router = TOOLS)]
impl ServerHandler for DemoServer {
    fn get_info(&self) -> ServerConfig {
        INFO.clone()
    }
}
