//! `echo`: says a message back, to the caller by name.

use guard::{Caller, needs};
use rmcp::{handler::server::wrapper::Parameters, schemars, tool, tool_router};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::server::DemoServer;

/// What to say.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct EchoArguments {
    /// The words to say back.
    message: String,
}

#[tool_router(router = echo_router, vis = "pub(crate)")]
impl DemoServer {
    #[tool(
        description = "Says a message back to you, by name",
        annotations(read_only_hint = true),
        meta = needs(["mcp:tools", "profile"])
    )]
    async fn echo(
        &self,
        caller: Caller,
        Parameters(arguments): Parameters<EchoArguments>,
    ) -> String {
        format!("Hello {}: {}", caller.display_name(), arguments.message)
    }
}
