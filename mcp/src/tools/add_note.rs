//! `add_note`: needs a scope that the first sign-in does not ask for.
//!
//! A client without the scope sees the tool and gets a 403 that names the scopes. It asks the user
//! for consent and calls again (step-up).

use guard::{Caller, needs};
use rmcp::{ErrorData, handler::server::wrapper::Parameters, schemars, tool, tool_router};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{notes::MAX_NOTE_LENGTH, server::DemoServer};

/// What to keep.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct AddNoteArguments {
    /// The note, of at most 2000 bytes.
    text: String,
}

#[tool_router(router = add_note_router, vis = "pub(crate)")]
impl DemoServer {
    #[tool(
        description = "Keeps a note for you; notes://mine shows them",
        annotations(destructive_hint = false),
        meta = needs(["mcp:tools", "notes:write"])
    )]
    async fn add_note(
        &self,
        caller: Caller,
        Parameters(arguments): Parameters<AddNoteArguments>,
    ) -> Result<String, ErrorData> {
        if arguments.text.len() > MAX_NOTE_LENGTH {
            return Err(ErrorData::invalid_params("a note has at most 2000 bytes", None));
        }
        let count = self.state().notes.add(&caller, arguments.text).await;
        let notes = if count == 1 { "note" } else { "notes" };
        Ok(format!("Kept. You have {count} {notes} now."))
    }
}
