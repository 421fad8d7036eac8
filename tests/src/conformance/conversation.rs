//! Tools that speak with the client while they run.
#![expect(deprecated, reason = "the suite still asks for logging and sampling on older wires")]

use std::time::Duration;

use http::request::Parts;
use rmcp::{
    ErrorData, Peer, RoleServer,
    model::{
        CallToolRequestParams, CallToolResponse, ClientCapabilities, CreateMessageRequestParams,
        ElicitRequestParams, LoggingLevel, LoggingMessageNotificationParam,
        ProgressNotificationParam, SamplingMessage, Tool,
    },
    service::{RequestContext, ServiceError},
};
use serde_json::{Value, json};

use super::{Fixture, plain_tool, text, tool};
use crate::waiting::delay;

pub(super) fn tools() -> Vec<Tool> {
    let asks = |member: &str| json!({"type": "object", "properties": {member: {"type": "string"}}, "required": [member]});
    vec![
        plain_tool("test_tool_with_logging", "Writes three log messages"),
        plain_tool("test_tool_with_progress", "Reports progress three times"),
        plain_tool("test_logging_tool", "Writes a log message if the request asks for logs"),
        tool("test_sampling", "Asks the client's model", asks("prompt")),
        tool("test_elicitation", "Asks the person for a name and an address", asks("message")),
        plain_tool("test_elicitation_sep1034_defaults", "Asks, with a default for each answer"),
        plain_tool("test_elicitation_sep1330_enums", "Asks, with each kind of choice"),
        plain_tool(
            "test_reconnection",
            "Closes its stream, so that the client comes back for the answer",
        ),
        plain_tool("test_missing_capability", "Needs a client that can sample"),
        plain_tool("test_trigger_tool_change", "Says that the list of tools has changed"),
        plain_tool("test_trigger_prompt_change", "Says that the list of prompts has changed"),
    ]
}

/// The answer, if the tool is one of these.
pub(super) async fn call(
    fixture: &Fixture,
    request: CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<Option<CallToolResponse>, ErrorData> {
    let argument = |name: &str| {
        let text = request.arguments.as_ref().and_then(|all| all.get(name)?.as_str());
        text.unwrap_or_default().to_owned()
    };
    let answer = match request.name.as_ref() {
        "test_tool_with_logging" => log(&context.peer).await,
        "test_tool_with_progress" => report_progress(context).await,
        "test_logging_tool" => {
            if let Some(level) = context.meta.log_level() {
                say(&context.peer, level, "the request asks for logs").await;
            }
            text("Logged as asked")
        }
        "test_sampling" => sample(&context.peer, &argument("prompt")).await?,
        "test_elicitation" => ask(&context.peer, argument("message"), contact()).await?,
        "test_elicitation_sep1034_defaults" => {
            ask(&context.peer, "Please confirm the defaults".into(), defaults()).await?
        }
        "test_elicitation_sep1330_enums" => {
            ask(&context.peer, "Please choose".into(), choices()).await?
        }
        "test_reconnection" => {
            hang_up(fixture, context).await;
            delay(Duration::from_millis(100)).await;
            text("Reconnected")
        }
        "test_missing_capability" => need_sampling(context)?,
        "test_trigger_tool_change" => {
            for listener in sinks(fixture) {
                let _ = listener.notify_tool_list_changed().await;
            }
            text("Told everyone about tools")
        }
        "test_trigger_prompt_change" => {
            for listener in sinks(fixture) {
                let _ = listener.notify_prompt_list_changed().await;
            }
            text("Told everyone about prompts")
        }
        _ => return Ok(None),
    };
    Ok(Some(answer))
}

fn sinks(fixture: &Fixture) -> Vec<rmcp::service::SubscriptionSink> {
    fixture.listeners().values().cloned().collect()
}

/// Closes the stream on which this call waits; the client comes back for the answer. Which number
/// rmcp gave the stream is its secret, so each is tried; only this one is open.
async fn hang_up(fixture: &Fixture, context: &RequestContext<RoleServer>) {
    let parts = context.extensions.get::<Parts>();
    let id = parts.and_then(|parts| parts.headers.get("mcp-session-id")?.to_str().ok());
    let Some(id) = id else {
        return;
    };
    let session = fixture.0.sessions.sessions.read().await.get(id).cloned();
    let Some(session) = session else {
        return;
    };
    for stream in 0..16 {
        if session.close_sse_stream(stream, Some(Duration::from_millis(500))).await.is_ok() {
            return;
        }
    }
}

async fn log(peer: &Peer<RoleServer>) -> CallToolResponse {
    for message in ["Started", "Working", "Finished"] {
        say(peer, LoggingLevel::Info, message).await;
        delay(Duration::from_millis(50)).await;
    }
    text("Three messages were logged")
}

async fn say(peer: &Peer<RoleServer>, level: LoggingLevel, message: &str) {
    let message =
        LoggingMessageNotificationParam::new(level, json!(message)).with_logger("fixture");
    // A client that is gone misses nothing.
    let _ = peer.notify_logging_message(message).await;
}

async fn report_progress(context: &RequestContext<RoleServer>) -> CallToolResponse {
    let token = context.meta.get_progress_token();
    for progress in [0.0, 50.0, 100.0] {
        if let Some(token) = &token {
            let progress = ProgressNotificationParam::new(token.clone(), progress);
            let _ = context.peer.notify_progress(progress.with_total(100.0)).await;
        }
        delay(Duration::from_millis(50)).await;
    }
    text("Progress was reported")
}

async fn sample(peer: &Peer<RoleServer>, prompt: &str) -> Result<CallToolResponse, ErrorData> {
    let question = CreateMessageRequestParams::new(vec![SamplingMessage::user_text(prompt)], 100);
    let answer = peer.create_message(question).await.map_err(failed)?;
    let words = answer.message.content.first().and_then(|content| content.as_text());
    let words = words.map(|content| content.text.clone()).unwrap_or_default();
    Ok(text(format!("LLM response: {words}")))
}

async fn ask(
    peer: &Peer<RoleServer>,
    message: String,
    schema: Value,
) -> Result<CallToolResponse, ErrorData> {
    let requested_schema = serde_json::from_value(schema)
        .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
    let question =
        ElicitRequestParams::FormElicitationParams { meta: None, message, requested_schema };
    let answer = peer.create_elicitation(question).await.map_err(failed)?;
    let action = serde_json::to_value(&answer.action).unwrap_or_default();
    let content = answer.content.unwrap_or_default();
    Ok(text(format!("User response: action={}, content={content}", action.as_str().unwrap_or(""))))
}

fn failed(error: ServiceError) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}

fn need_sampling(context: &RequestContext<RoleServer>) -> Result<CallToolResponse, ErrorData> {
    let capabilities = context.client_capabilities().unwrap_or_default();
    match capabilities.sampling {
        Some(_) => Ok(text("The client can sample")),
        None => {
            let needed = ClientCapabilities::builder().enable_sampling().build();
            Err(ErrorData::missing_required_client_capability(needed))
        }
    }
}

fn contact() -> Value {
    json!({
        "type": "object",
        "properties": {
            "username": {"type": "string", "description": "What to call you"},
            "email": {"type": "string", "description": "Where to write to you"},
        },
        "required": ["username", "email"],
    })
}

fn defaults() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "default": "John Doe"},
            "age": {"type": "integer", "default": 30},
            "score": {"type": "number", "default": 95.5},
            "status": {"type": "string", "enum": ["active", "inactive", "pending"],
                "default": "active"},
            "verified": {"type": "boolean", "default": true},
        },
    })
}

fn choices() -> Value {
    let titled = json!([
        {"const": "value1", "title": "First"},
        {"const": "value2", "title": "Second"},
        {"const": "value3", "title": "Third"},
    ]);
    let untitled = json!(["option1", "option2", "option3"]);
    json!({
        "type": "object",
        "properties": {
            "untitledSingle": {"type": "string", "enum": untitled},
            "titledSingle": {"type": "string", "oneOf": titled},
            "legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["Option One", "Option Two", "Option Three"]},
            "untitledMulti": {"type": "array", "items": {"type": "string", "enum": untitled}},
            "titledMulti": {"type": "array", "items": {"anyOf": titled}},
        },
    })
}
