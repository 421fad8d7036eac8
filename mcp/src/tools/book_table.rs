//! `book_table`: asks the user while it runs (elicitation), in every revision.
//!
//! Since 2026-07-28, the result says which inputs are missing, and the client calls again with them
//! and with the state that it was given. Before, the server asks in the session.

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

/// The operation that request states are bound to.
const OPERATION: &str = "tools/call book_table";
/// Name of the input.
const DETAILS: &str = "details";

/// Where to book.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct BookTableArguments {
    /// The restaurant.
    restaurant: String,
}

/// The state of the first round. Arguments of the second do not replace it.
#[derive(Deserialize, Serialize)]
struct Booking {
    restaurant: String,
}

/// The answer of the user.
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
        let caller = Caller::from_context(&context)?;
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

/// Turns the answer into a result. That the user declines is not an error.
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
