//! Completion of prompt arguments and of variables in resource templates.

use rmcp::{
    ErrorData,
    model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference},
};

/// Values of the argument `tone`.
const TONES: [&str; 4] = ["brief", "formal", "friendly", "funny"];
/// Values of the variable `{claim}`.
const CLAIMS: [&str; 3] = ["email", "name", "preferred_username"];

/// Completes an argument for a caller with this number of notes.
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
