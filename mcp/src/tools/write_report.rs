//! `write_report`: takes its time, as a task where the client can wait for one (tasks extension).

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

/// Longest work, in seconds.
const LONGEST: u64 = 60;

/// How long to take.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct WriteReportArguments {
    /// Seconds to work, at most 60; 3 if not given.
    #[serde(default = "usual_time")]
    seconds: u64,
}

fn usual_time() -> u64 {
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
        let caller = Caller::of(&context)?;
        let words = report(&caller, &self.state().notes.of(&caller));
        let time = Duration::from_secs(arguments.seconds.min(LONGEST));
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

/// Stops when the task is cancelled: nobody else would stop it.
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
    format!("Report for {}: {} notes, {words} words.", caller.shown_name(), notes.len())
}

fn written(words: String) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(words)])
}
