//! Tools that run as tasks (tasks extension).

use std::{future::Future, time::Duration};

use guard::Caller;
use rmcp::{
    ErrorData, RoleServer,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ClientCapabilities, ContentBlock,
        CreateTaskResult, InputRequiredResult, Tool,
    },
    service::RequestContext,
    task_manager::{TaskContext, TaskExit, TaskOptions},
};
use serde_json::{Value, json};

use super::{
    Fixture, plain_tool,
    rounds::{answer, field, form, inputs, question},
    tool,
};
use crate::waiting::delay;

/// These have no other way to answer than by a task.
const ONLY_AS_TASKS: [&str; 4] =
    ["failing_job", "confirm_delete", "multi_input", "test_tool_with_task"];

pub(super) fn tools() -> Vec<Tool> {
    vec![
        tool(
            "slow_compute",
            "Takes as long as it is told to",
            json!({"type": "object", "properties": {
                "seconds": {"type": "number"}, "label": {"type": "string"}}}),
        ),
        plain_tool("failing_job", "Fails as a tool, after a second"),
        plain_tool("protocol_error_job", "Fails as a request"),
        tool(
            "confirm_delete",
            "Asks before it goes on",
            json!({"type": "object", "properties": {"filename": {"type": "string"}}}),
        ),
        plain_tool("multi_input", "Asks for two things at once"),
        plain_tool("test_tool_with_task", "Asks for a name first, then runs as a task"),
    ]
}

/// The answer, if the tool is one of these.
pub(super) async fn call(
    fixture: &Fixture,
    request: &CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<Option<CallToolResponse>, ErrorData> {
    let name = request.name.as_ref();
    let can_wait = context.client_capabilities().is_some_and(|client| client.supports_tasks());
    if ONLY_AS_TASKS.contains(&name) && !can_wait {
        let needed = ClientCapabilities::builder().enable_tasks().build();
        return Err(ErrorData::missing_required_client_capability(needed));
    }
    let argument = |name: &str| request.arguments.as_ref().and_then(|all| all.get(name)).cloned();
    let start = Start { fixture, caller: Caller::from_context(context)?, as_task: can_wait };
    Ok(Some(match name {
        "slow_compute" => {
            let seconds = argument("seconds").and_then(|value| value.as_f64()).unwrap_or(1.0);
            start.run(move |task| compute(task, Duration::from_secs_f64(seconds))).await?
        }
        "failing_job" => start.run(|_| fail()).await?,
        "protocol_error_job" => start.run(|_| break_down()).await?,
        "confirm_delete" => {
            let file = argument("filename").unwrap_or_default().to_string();
            start.run(move |task| delete(task, file)).await?
        }
        "multi_input" => start.run(ask_twice).await?,
        "test_tool_with_task" => match answer(request.input_responses.as_ref(), "user_name") {
            None => {
                let wanted = inputs([("user_name", question("What is your name?", "name"))]);
                InputRequiredResult::from_input_requests(wanted).into()
            }
            Some(said) => {
                let name = field(said, "name").to_owned();
                start.run(move |_| async move { Ok(done(format!("Hello, {name}!"))) }).await?
            }
        },
        _ => return Ok(None),
    }))
}

struct Start<'a> {
    fixture: &'a Fixture,
    caller: Caller,
    as_task: bool,
}

impl Start<'_> {
    /// Runs the work as a task where the client can wait for one, else at once.
    async fn run<F, W>(self, work: W) -> Result<CallToolResponse, ErrorData>
    where
        W: FnOnce(Option<TaskContext>) -> F,
        F: Future<Output = Result<CallToolResult, TaskExit>> + Send + 'static,
    {
        if self.as_task {
            let tasks = &self.fixture.0.tasks;
            let task = tasks.spawn(&self.caller, TaskOptions::default(), |context| {
                Box::pin(work(Some(context)))
            })?;
            return Ok(CreateTaskResult::new(task).into());
        }
        match work(None).await {
            Ok(result) => Ok(result.into()),
            Err(TaskExit::Error(error)) => Err(error),
            Err(TaskExit::Cancelled) => Err(ErrorData::internal_error("cancelled", None)),
        }
    }
}

fn done(words: impl Into<String>) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(words)])
}

async fn compute(
    task: Option<TaskContext>,
    duration: Duration,
) -> Result<CallToolResult, TaskExit> {
    let cancelled = async {
        match &task {
            Some(task) => task.cancelled().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = cancelled => Err(TaskExit::Cancelled),
        () = delay(duration) => Ok(done(format!("computed for {} s", duration.as_secs_f64()))),
    }
}

async fn fail() -> Result<CallToolResult, TaskExit> {
    delay(Duration::from_secs(1)).await;
    Ok(CallToolResult::error(vec![ContentBlock::text("the job failed, as it should")]))
}

async fn break_down() -> Result<CallToolResult, TaskExit> {
    delay(Duration::from_millis(200)).await;
    Err(TaskExit::Error(ErrorData::internal_error("the job broke down, as it should", None)))
}

async fn delete(task: Option<TaskContext>, file: String) -> Result<CallToolResult, TaskExit> {
    let schema = json!({"type": "object", "properties": {"confirm": {"type": "boolean"}},
        "required": ["confirm"]});
    let said = ask(task.as_ref(), "confirm", form(&format!("Delete {file}?"), schema)).await?;
    Ok(done(format!("deletion of {file} confirmed: {}", said["content"]["confirm"])))
}

async fn ask_twice(task: Option<TaskContext>) -> Result<CallToolResult, TaskExit> {
    let (first, second) = tokio::join!(
        ask(task.as_ref(), "first", question("Which value first?", "value")),
        ask(task.as_ref(), "second", question("Which value second?", "value")),
    );
    let first = first?;
    let second = second?;
    Ok(done(format!("{} then {}", field(&first, "value"), field(&second, "value"))))
}

async fn ask(
    task: Option<&TaskContext>,
    name: &str,
    question: rmcp::model::InputRequest,
) -> Result<Value, TaskExit> {
    match task {
        Some(task) => task.request_input(name, question).await,
        None => Err(TaskExit::Cancelled),
    }
}
