//! `review_access`: sends the user to a page (elicitation by URL).
//!
//! Neither the client nor this server sees what the user enters there, such as a password. Here it
//! is the page where users manage their grants.

use guard::needs;
use rmcp::{
    ErrorData, RoleServer,
    handler::server::tool::InputResponses,
    model::{
        CallToolResponse, CallToolResult, ContentBlock, ElicitRequest, ElicitRequestParams,
        InputRequest, InputRequiredResult, ProtocolVersion,
    },
    service::{ElicitationMode, RequestContext},
    tool, tool_router,
};
use serde_json::json;
use uuid::Uuid;

use crate::server::DemoServer;

/// Name of the input.
const VISIT: &str = "visit";

#[tool_router(router = review_access_router, vis = "pub(crate)")]
impl DemoServer {
    #[tool(
        description = "Opens the page on which you see and end what you allowed",
        annotations(read_only_hint = true),
        meta = needs(["mcp:tools"])
    )]
    async fn review_access(
        &self,
        context: RequestContext<RoleServer>,
        InputResponses(answers): InputResponses,
    ) -> Result<CallToolResponse, ErrorData> {
        let action = answers.and_then(|mut answers| answers.remove(VISIT));
        if let Some(answer) = action {
            return Ok(conclude(answer["action"] == "accept"));
        }
        let message = "Your account shows which programs may act for you".to_owned();
        let url = self.state().account.to_string();
        if context.protocol_version() >= Some(ProtocolVersion::V_2026_07_28) {
            let elicitation_id = String::new();
            let page = ElicitRequestParams::UrlElicitationParams {
                meta: None,
                message,
                url,
                elicitation_id,
            };
            let question = InputRequest::Elicitation(ElicitRequest::new(page));
            return Ok(InputRequiredResult::from_input_requests(
                [(VISIT.to_owned(), question)].into(),
            )
            .into());
        }
        let elicitation_id = Uuid::new_v4().to_string();
        if !context.peer.supported_elicitation_modes().contains(&ElicitationMode::Url) {
            return Err(must_visit(&message, &url, &elicitation_id));
        }
        let page =
            ElicitRequestParams::UrlElicitationParams { meta: None, message, url, elicitation_id };
        let answer = context.peer.create_elicitation(page).await.map_err(|_| {
            ErrorData::internal_error("the client did not say what became of the visit", None)
        })?;
        let action = serde_json::to_value(answer.action).unwrap_or_default();
        Ok(conclude(action == "accept"))
    }
}

/// The error for a client without URL elicitation. It names the page (MCP 2025-11-25, URL elicitation
/// required).
fn must_visit(message: &str, url: &str, elicitation_id: &str) -> ErrorData {
    let page =
        json!({"mode": "url", "message": message, "url": url, "elicitationId": elicitation_id});
    let code = rmcp::model::ErrorCode(-32042);
    ErrorData::new(code, "please open the page first", Some(json!({"elicitations": [page]})))
}

fn conclude(visited: bool) -> CallToolResponse {
    let words = if visited { "The page was opened." } else { "The page was not opened." };
    CallToolResult::success(vec![ContentBlock::text(words)]).into()
}
