//! The prompt `introduce`.

use guard::{Caller, needs};
use rmcp::{
    handler::server::wrapper::Parameters,
    model::{PromptMessage, Role},
    prompt, prompt_router, schemars,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::server::DemoServer;

/// How to introduce.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct IntroduceArguments {
    /// The tone, for example friendly.
    tone: String,
}

#[prompt_router(router = "introduce_router", vis = "pub(crate)")]
#[expect(missing_docs, reason = "the macro makes a public function without any")]
impl DemoServer {
    #[prompt(
        name = "introduce",
        description = "Has the model introduce you",
        meta = needs(["mcp:tools", "profile"])
    )]
    async fn introduce(
        &self,
        caller: Caller,
        Parameters(arguments): Parameters<IntroduceArguments>,
    ) -> Vec<PromptMessage> {
        let name = caller.display_name();
        let tone = arguments.tone;
        let words = format!("Introduce {name} to a new colleague in two sentences. Tone: {tone}.");
        vec![PromptMessage::new_text(Role::User, words)]
    }
}
