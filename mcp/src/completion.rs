//! What completes the arguments of prompts and the variables of resources.

use rmcp::{
    ErrorData,
    model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference},
};

/// What completes `tone`.
const TONES: [&str; 4] = ["brief", "formal", "friendly", "funny"];
/// What completes `{claim}`.
const CLAIMS: [&str; 3] = ["email", "name", "preferred_username"];

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
