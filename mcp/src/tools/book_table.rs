//! `book_table`: asks the person while it runs (elicitation), on both wires.
//!
//! On the wire of 2026 the answer says which inputs are missing, and the client calls again with
//! them and with the state that it was given. On the older ones the server asks in the session.

use guard::{Caller, needs};
use rmcp::{
    ErrorData, RoleServer,
    handler::server::{
        tool::{InputResponses, RequestState},
        wrapper::Parameters,
    },
    model::{
        CallToolResponse, CallToolResult, ContentBlock, ElicitRequest, ElicitRequestParams,
        ElicitResult, ElicitationAction, ElicitationSchema, InputRequest, InputRequiredResult,
        ProtocolVersion,
    },
    schemars,
    service::RequestContext,
    tool, tool_router,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::server::DemoServer;

/// What the state is signed for.
const OPERATION: &str = "tools/call book_table";
/// The name of the one input.
const DETAILS: &str = "details";

/// Where to book.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct BookTableArguments {
    /// The restaurant.
    restaurant: String,
}

/// What the first round knew. What the client says in the second is not believed instead.
#[derive(Deserialize, Serialize)]
struct Booking {
    restaurant: String,
}

/// What the person answers.
#[derive(Deserialize)]
struct Details {
    people: u8,
    time: String,
}

#[tool_router(router = book_table_router, vis = "pub(crate)")]
impl DemoServer {
    #[tool(
        description = "Pretends to book a table, and asks you for how many and when",
        meta = needs(["mcp:tools"])
    )]
    async fn book_table(
        &self,
        context: RequestContext<RoleServer>,
        Parameters(arguments): Parameters<BookTableArguments>,
        InputResponses(answers): InputResponses,
        RequestState(sealed): RequestState,
    ) -> Result<CallToolResponse, ErrorData> {
        let caller = Caller::of(&context)?;
        let states = &self.state().states;
        if let Some(sealed) = sealed {
            let Booking { restaurant } = states.open(&caller, OPERATION, &sealed)?;
            let answer = answers.and_then(|mut answers| answers.remove(DETAILS));
            let answer = answer.ok_or_else(|| invalid("the answer to `details` is missing"))?;
            let answer = serde_json::from_value(answer);
            return conclude(&restaurant, answer.map_err(|_| invalid("no answer of a form"))?);
        }
        let restaurant = arguments.restaurant;
        if context.protocol_version() >= Some(ProtocolVersion::V_2026_07_28) {
            let question = InputRequest::Elicitation(ElicitRequest::new(form(&restaurant)?));
            let inputs = [(DETAILS.to_owned(), question)].into();
            let sealed = states.seal(&caller, OPERATION, &Booking { restaurant })?;
            return Ok(InputRequiredResult::new(Some(inputs), Some(sealed)).into());
        }
        let answer = context.peer.create_elicitation(form(&restaurant)?).await;
        conclude(&restaurant, answer.map_err(|_| invalid("this client cannot ask its person"))?)
    }
}

fn form(restaurant: &str) -> Result<ElicitRequestParams, ErrorData> {
    let schema = json!({
        "type": "object",
        "properties": {
            "people": {"type": "integer", "title": "How many people", "minimum": 1, "maximum": 20,
                "default": 2},
            "time": {"type": "string", "title": "When", "description": "For example 19:30"},
        },
        "required": ["people", "time"],
    });
    let requested_schema: ElicitationSchema = serde_json::from_value(schema)
        .map_err(|_| ErrorData::internal_error("the form is not usable", None))?;
    let message = format!("A table at {restaurant}: for how many, and when?");
    Ok(ElicitRequestParams::FormElicitationParams { meta: None, message, requested_schema })
}

/// The person may say no; that is an answer and no error.
fn conclude(restaurant: &str, answer: ElicitResult) -> Result<CallToolResponse, ErrorData> {
    let words = match answer.action {
        ElicitationAction::Accept => {
            let Details { people, time } =
                serde_json::from_value(answer.content.unwrap_or_default())
                    .map_err(|_| invalid("the answer does not fit the form"))?;
            format!("A table for {people} at {restaurant}, at {time}.")
        }
        _ => "Nothing was booked.".to_owned(),
    };
    Ok(CallToolResult::success(vec![ContentBlock::text(words)]).into())
}

fn invalid(reason: &'static str) -> ErrorData {
    ErrorData::invalid_params(reason, None)
}
