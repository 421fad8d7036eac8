//! The prompts, and what completes their arguments.

use rmcp::{
    ErrorData,
    model::{
        CompleteRequestParams, CompleteResult, CompletionInfo, ContentBlock,
        GetPromptRequestParams, GetPromptResponse, GetPromptResult, ImageContent,
        InputRequiredResult, Prompt, PromptArgument, PromptMessage, Reference, ResourceContents,
        Role,
    },
};

use super::{
    content::IMAGE,
    rounds::{answer, field, inputs, question},
};

pub(super) fn prompts() -> Vec<Prompt> {
    let arguments = vec![
        PromptArgument::new("arg1").with_description("The first argument").with_required(true),
        PromptArgument::new("arg2").with_description("The second argument").with_required(true),
    ];
    let plain = |name: &str, description: &str| Prompt::new(name, Some(description), None);
    vec![
        plain("test_simple_prompt", "A prompt without arguments"),
        Prompt::new(
            "test_prompt_with_arguments",
            Some("A prompt with two arguments"),
            Some(arguments),
        ),
        Prompt::new(
            "test_prompt_with_embedded_resource",
            Some("A prompt that holds a resource"),
            Some(vec![
                PromptArgument::new("resourceUri")
                    .with_description("Which resource")
                    .with_required(true),
            ]),
        ),
        plain("test_prompt_with_image", "A prompt that holds an image"),
        plain("test_input_required_result_prompt", "A prompt that asks before it answers"),
    ]
}

pub(super) fn get(request: &GetPromptRequestParams) -> Result<GetPromptResponse, ErrorData> {
    let argument = |name: &str| {
        let value = request.arguments.as_ref().and_then(|all| all.get(name));
        value.and_then(|value| value.as_str()).unwrap_or_default()
    };
    let messages = match request.name.as_str() {
        "test_simple_prompt" => vec![says("This is a simple prompt for testing.")],
        "test_prompt_with_arguments" => {
            let first = argument("arg1");
            let second = argument("arg2");
            vec![says(&format!("Prompt with arguments: arg1='{first}', arg2='{second}'"))]
        }
        "test_prompt_with_embedded_resource" => {
            let resource = ContentBlock::resource(ResourceContents::TextResourceContents {
                uri: argument("resourceUri").into(),
                mime_type: Some("text/plain".into()),
                text: "The text of the resource.".into(),
                meta: None,
            });
            vec![PromptMessage::new(Role::User, resource), says("Please read the resource.")]
        }
        "test_prompt_with_image" => {
            let image = ContentBlock::Image(ImageContent::new(IMAGE, "image/png"));
            vec![PromptMessage::new(Role::User, image), says("Please look at the image.")]
        }
        "test_input_required_result_prompt" => {
            match answer(request.input_responses.as_ref(), "user_context") {
                Some(said) => vec![says(&format!("In the context {}", field(said, "context")))],
                None => {
                    let wanted =
                        inputs([("user_context", question("In which context?", "context"))]);
                    return Ok(InputRequiredResult::from_input_requests(wanted).into());
                }
            }
        }
        name => return Err(ErrorData::invalid_params(format!("no prompt {name:?}"), None)),
    };
    Ok(GetPromptResult::new(messages).into())
}

fn says(words: &str) -> PromptMessage {
    PromptMessage::new_text(Role::User, words)
}

pub(super) fn complete(request: &CompleteRequestParams) -> Result<CompleteResult, ErrorData> {
    let known: &[&str] = match &request.r#ref {
        Reference::Prompt(_) => &["paris", "park", "party"],
        _ => &["1", "2", "3"],
    };
    let values = known.iter().filter(|word| word.starts_with(request.argument.value.as_str()));
    let values = values.map(|word| (*word).to_owned()).collect();
    let completion =
        CompletionInfo::new(values).map_err(|error| ErrorData::internal_error(error, None))?;
    Ok(CompleteResult::new(completion))
}
