//! `echo`: says a message back, to the caller by name.

use rmcp::{ErrorData, handler::server::wrapper::Parameters, schemars, tool, tool_router};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{guard::Caller, server::DemoServer};

/// What to say.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct EchoArguments {
    /// The words to say back.
    message: String,
}

#[tool_router(router = echo_router, vis = "pub(crate)")]
impl DemoServer {
    #[tool(description = "Says a message back to you, by name")]
    async fn echo(
        &self,
        caller: Caller,
        Parameters(arguments): Parameters<EchoArguments>,
    ) -> Result<String, ErrorData> {
        caller.require(&["mcp:tools", "profile"])?;
        Ok(format!("Hello {}: {}", caller.shown_name(), arguments.message))
    }
}
