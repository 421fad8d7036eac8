//! Tools that answer in several rounds (`InputRequiredResult`, 2026-07-28).
#![expect(deprecated, reason = "the suite asks for sampling and roots as inputs")]

use guard::Caller;
use rmcp::{
    ErrorData, RoleServer,
    model::{
        CallToolRequestParams, CallToolResponse, CreateMessageRequest, CreateMessageRequestParams,
        ElicitRequest, ElicitRequestParams, InputRequest, InputRequests, InputRequiredResult,
        InputResponses, ListRootsRequest, SamplingMessage, Tool,
    },
    service::RequestContext,
};
use serde_json::{Value, json};

use super::{Fixture, plain_tool, text};

const TOOLS: [(&str, &str); 9] = [
    ("test_input_required_result_elicitation", "Asks for a name"),
    ("test_input_required_result_sampling", "Asks the client's model"),
    ("test_input_required_result_list_roots", "Asks for the client's roots"),
    ("test_input_required_result_request_state", "Gives a state to bring back"),
    ("test_input_required_result_tampered_state", "Gives a state and refuses a changed one"),
    ("test_input_required_result_multiple_inputs", "Asks for three things at once"),
    ("test_input_required_result_multi_round", "Asks twice"),
    ("test_input_required_result_capabilities", "Asks only for what the client can give"),
    ("test_streaming_elicitation", "Asks for a value"),
];

pub(super) fn tools() -> Vec<Tool> {
    TOOLS.map(|(name, description)| plain_tool(name, description)).to_vec()
}

/// One form with one text field.
pub(super) fn question(message: &str, field: &str) -> InputRequest {
    form(
        message,
        json!({"type": "object", "properties": {field: {"type": "string"}},
        "required": [field]}),
    )
}

pub(super) fn form(message: &str, schema: Value) -> InputRequest {
    let requested_schema = serde_json::from_value(schema).expect("a schema");
    InputRequest::Elicitation(ElicitRequest::new(ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: message.into(),
        requested_schema,
    }))
}

fn sampling(prompt: &str) -> InputRequest {
    let messages = vec![SamplingMessage::user_text(prompt)];
    InputRequest::CreateMessage(CreateMessageRequest::new(CreateMessageRequestParams::new(
        messages, 100,
    )))
}

fn roots() -> InputRequest {
    InputRequest::ListRoots(ListRootsRequest::default())
}

/// Asks for these inputs.
pub(super) fn inputs<const N: usize>(inputs: [(&str, InputRequest); N]) -> InputRequests {
    inputs.into_iter().map(|(name, input)| (name.to_owned(), input)).collect()
}

/// The answer under `name`, if it is one: anything but an object is asked for again.
pub(super) fn answer<'a>(answers: Option<&'a InputResponses>, name: &str) -> Option<&'a Value> {
    answers?.get(name).filter(|answer| answer.is_object())
}

/// A field of a form that was answered.
pub(super) fn field<'a>(answer: &'a Value, name: &str) -> &'a str {
    answer["content"][name].as_str().unwrap_or_default()
}

/// The answer, if the tool is one of these.
pub(super) fn call(
    fixture: &Fixture,
    request: &CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<Option<CallToolResponse>, ErrorData> {
    let answers = request.input_responses.as_ref();
    let ask_for = |all: InputRequests| InputRequiredResult::from_input_requests(all).into();
    Ok(Some(match request.name.as_ref() {
        "test_input_required_result_elicitation" => match answer(answers, "user_name") {
            Some(name) => text(format!("Hello, {}!", field(name, "name"))),
            None => ask_for(inputs([("user_name", question("What is your name?", "name"))])),
        },
        "test_input_required_result_sampling" => match answer(answers, "capital_question") {
            Some(said) => text(format!("The model says {}", said["content"]["text"])),
            None => {
                ask_for(inputs([("capital_question", sampling("What is the capital of France?"))]))
            }
        },
        "test_input_required_result_list_roots" => match answer(answers, "client_roots") {
            Some(said) => text(format!("The roots are {}", said["roots"])),
            None => ask_for(inputs([("client_roots", roots())])),
        },
        "test_streaming_elicitation" => {
            ask_for(inputs([("streaming_elicitation", question("Which value?", "value"))]))
        }
        "test_input_required_result_capabilities" => offer(answers, context),
        "test_input_required_result_request_state"
        | "test_input_required_result_tampered_state" => confirm(fixture, request, context)?,
        "test_input_required_result_multiple_inputs" => gather(fixture, request, context)?,
        "test_input_required_result_multi_round" => next_round(fixture, request, context)?,
        _ => return Ok(None),
    }))
}

/// Only what the client said that it can give.
fn offer(
    answers: Option<&InputResponses>,
    context: &RequestContext<RoleServer>,
) -> CallToolResponse {
    if answers.is_some() {
        return text("The client gave what it can");
    }
    let can = context.client_capabilities().unwrap_or_default();
    let offered = [
        (can.elicitation.is_some(), "user_name", question("What is your name?", "name")),
        (can.sampling.is_some(), "greeting", sampling("Write a greeting")),
        (can.roots.is_some(), "client_roots", roots()),
    ];
    let wanted: InputRequests = offered
        .into_iter()
        .filter(|(possible, ..)| *possible)
        .map(|(_, name, input)| (name.to_owned(), input))
        .collect();
    if wanted.is_empty() {
        text("The client can give nothing")
    } else {
        InputRequiredResult::from_input_requests(wanted).into()
    }
}

/// A state that must come back as it was.
fn confirm(
    fixture: &Fixture,
    request: &CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let caller = Caller::from_context(context)?;
    let states = &fixture.0.states;
    let Some(sealed) = &request.request_state else {
        let wanted = inputs([(
            "confirm",
            form(
                "Is that right?",
                json!({"type": "object",
            "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}),
            ),
        )]);
        let sealed = states.seal(&caller, &request.name, &"confirm")?;
        return Ok(InputRequiredResult::new(Some(wanted), Some(sealed)).into());
    };
    states.open::<String>(&caller, &request.name, sealed)?;
    Ok(text("state-ok"))
}

/// Three inputs at once.
fn gather(
    fixture: &Fixture,
    request: &CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let caller = Caller::from_context(context)?;
    let states = &fixture.0.states;
    let answers = request.input_responses.as_ref();
    if let Some(sealed) = &request.request_state {
        states.open::<String>(&caller, &request.name, sealed)?;
        let names = ["user_name", "greeting", "client_roots"];
        if names.iter().all(|name| answer(answers, name).is_some()) {
            return Ok(text("Everything is here"));
        }
    }
    let wanted = inputs([
        ("user_name", question("What is your name?", "name")),
        ("greeting", sampling("Write a greeting")),
        ("client_roots", roots()),
    ]);
    let sealed = states.seal(&caller, &request.name, &"gather")?;
    Ok(InputRequiredResult::new(Some(wanted), Some(sealed)).into())
}

/// Two rounds, counted by the state.
fn next_round(
    fixture: &Fixture,
    request: &CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let caller = Caller::from_context(context)?;
    let states = &fixture.0.states;
    let round = match &request.request_state {
        Some(sealed) => states.open::<u8>(&caller, &request.name, sealed)?,
        None => 0,
    };
    let wanted = match round {
        0 => inputs([("step1", question("What is your name?", "name"))]),
        1 => inputs([("step2", question("What is your favourite colour?", "color"))]),
        _ => return Ok(text("Both rounds are done")),
    };
    let sealed = states.seal(&caller, &request.name, &(round + 1))?;
    Ok(InputRequiredResult::new(Some(wanted), Some(sealed)).into())
}
