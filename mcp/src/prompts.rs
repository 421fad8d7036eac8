//! The prompt `introduce`, and what completes arguments and variables.

use rmcp::{
    ErrorData,
    handler::server::wrapper::Parameters,
    model::{
        CompleteRequestParams, CompleteResult, CompletionInfo, PromptMessage, Reference, Role,
    },
    prompt, prompt_router, schemars,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    guard::{Caller, needs},
    server::DemoServer,
};

/// What completes `tone`.
const TONES: [&str; 4] = ["brief", "formal", "friendly", "funny"];
/// What completes `{claim}`.
const CLAIMS: [&str; 3] = ["email", "name", "preferred_username"];

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
        let (name, tone) = (caller.shown_name(), arguments.tone);
        let words = format!("Introduce {name} to a new colleague in two sentences. Tone: {tone}.");
        vec![PromptMessage::new_text(Role::User, words)]
    }
}

/// Completes what was typed of an argument, for a caller with so many notes.
pub(crate) fn complete(
    request: &CompleteRequestParams,
    notes: usize,
) -> Result<CompleteResult, ErrorData> {
    let argument = &request.argument;
    let known: Vec<String> = match (&request.r#ref, argument.name.as_str()) {
        (Reference::Prompt(_), "tone") => TONES.map(str::to_owned).to_vec(),
        (Reference::Resource(_), "claim") => CLAIMS.map(str::to_owned).to_vec(),
        (Reference::Resource(_), "number") => (1..=notes).map(|n| n.to_string()).collect(),
        _ => Vec::new(),
    };
    let fits = known.into_iter().filter(|word| word.starts_with(&argument.value));
    let completion = CompletionInfo::new(fits.take(100).collect())
        .map_err(|reason| ErrorData::internal_error(reason, None))?;
    Ok(CompleteResult::new(completion))
}
