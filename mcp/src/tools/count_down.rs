//! `count_down`: reports progress while it runs, and stops when it is cancelled.

use std::time::Duration;

use guard::needs;
use rmcp::{
    ErrorData, Peer, RoleServer,
    handler::server::wrapper::Parameters,
    model::{ProgressNotificationParam, RequestMetaObject},
    schemars, tool, tool_router,
};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::server::DemoServer;

/// Maximum steps of one call.
const MAX_STEPS: u32 = 100;

/// How to count.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct CountDownArguments {
    /// Where to start.
    #[schemars(range(min = 1, max = 100))]
    from: u32,
    /// Milliseconds between two numbers.
    #[schemars(range(min = 0, max = 1000))]
    #[serde(default = "default_pause")]
    pause: u64,
}

fn default_pause() -> u64 {
    100
}

#[tool_router(router = count_down_router, vis = "pub(crate)")]
impl DemoServer {
    #[tool(
        description = "Counts down to zero and reports each step; cancel it whenever you like",
        annotations(read_only_hint = true),
        meta = needs(["mcp:tools"])
    )]
    async fn count_down(
        &self,
        peer: Peer<RoleServer>,
        meta: RequestMetaObject,
        cancelled: CancellationToken,
        Parameters(arguments): Parameters<CountDownArguments>,
    ) -> Result<String, ErrorData> {
        let from = arguments.from;
        let pause = Duration::from_millis(arguments.pause.min(1000));
        if !(1..=MAX_STEPS).contains(&from) {
            return Err(ErrorData::invalid_params("`from` is a number from 1 to 100", None));
        }
        let token = meta.get_progress_token();
        for step in 1..=from {
            tokio::select! {
                () = cancelled.cancelled() => {
                    return Err(ErrorData::internal_error("cancelled", None));
                }
                () = sleep(pause) => {}
            }
            if let Some(token) = &token {
                let progress = ProgressNotificationParam::new(token.clone(), f64::from(step))
                    .with_total(f64::from(from))
                    .with_message(format!("{} to go", from - step));
                // The call goes on even if the client has left.
                let _ = peer.notify_progress(progress).await;
            }
        }
        Ok(format!("Counted down from {from}."))
    }
}
