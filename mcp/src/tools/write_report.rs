//! `write_report`: a slow tool, which runs as a task if the client supports them (tasks extension).

use std::time::Duration;

use guard::{Caller, needs};
use rmcp::{
    ErrorData, RoleServer,
    handler::server::wrapper::Parameters,
    model::{CallToolResponse, CallToolResult, ContentBlock, CreateTaskResult},
    schemars,
    service::RequestContext,
    task_manager::{TaskContext, TaskExit, TaskOptions},
    tool, tool_router,
};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::sleep;

use crate::server::DemoServer;

/// Maximum duration, in seconds.
const MAX_SECONDS: u64 = 60;

/// How long to take.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct WriteReportArguments {
    /// Seconds to work, at most 60; 3 if not given.
    #[serde(default = "default_seconds")]
    seconds: u64,
}

fn default_seconds() -> u64 {
    3
}

#[tool_router(router = write_report_router, vis = "pub(crate)")]
impl DemoServer {
    #[tool(
        description = "Writes a report on your notes, slowly",
        annotations(read_only_hint = true),
        meta = needs(["mcp:tools"])
    )]
    async fn write_report(
        &self,
        context: RequestContext<RoleServer>,
        Parameters(arguments): Parameters<WriteReportArguments>,
    ) -> Result<CallToolResponse, ErrorData> {
        let caller = Caller::from_context(&context)?;
        let words = report(&caller, &self.state().notes.list(&caller));
        let time = Duration::from_secs(arguments.seconds.min(MAX_SECONDS));
        let can_wait = context.client_capabilities().is_some_and(|client| client.supports_tasks());
        if can_wait {
            let options = TaskOptions::default().with_status_message("Reading your notes");
            let task = self
                .state()
                .tasks
                .spawn(&caller, options, move |task| Box::pin(work(task, time, words)))?;
            return Ok(CreateTaskResult::new(task).into());
        }
        tokio::select! {
            () = context.ct.cancelled() => Err(ErrorData::internal_error("cancelled", None)),
            () = sleep(time) => Ok(written(words).into()),
        }
    }
}

/// Works until the task is done or cancelled. The task manager does not stop it.
async fn work(
    task: TaskContext,
    time: Duration,
    words: String,
) -> Result<CallToolResult, TaskExit> {
    tokio::select! {
        () = task.cancelled() => Err(TaskExit::Cancelled),
        () = sleep(time) => Ok(written(words)),
    }
}

fn report(caller: &Caller, notes: &[String]) -> String {
    let words: usize = notes.iter().map(|note| note.split_whitespace().count()).sum();
    format!("Report for {}: {} notes, {words} words.", caller.display_name(), notes.len())
}

fn written(words: String) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(words)])
}
