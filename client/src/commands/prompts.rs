//! `client prompts` and `client prompt`: what the server suggests to say, and one of it filled in.

use rmcp::model::{ContentBlock, JsonObject, Prompt, PromptMessage};

use crate::{client::Client, error::Error, printable::printable_line};

/// Lists the prompts.
///
/// # Errors
/// [`Error`] when they cannot be listed.
pub async fn run(client: &mut Client) -> Result<(), Error> {
    let prompts = client.list_prompts().await?;
    if client.output.is_json() {
        return client.output.json(&prompts);
    }
    if prompts.is_empty() {
        client.output.say(&format!("{} has no prompts.", client.server));
        return Ok(());
    }
    let described: Vec<_> = prompts.iter().map(describe).collect();
    client.output.data(&described.join("\n"))
}

/// Fills in the prompt called `name` with `arguments`, words like key=value.
///
/// # Errors
/// [`Error::Usage`] for a word of another form; [`Error`] when the server refuses.
pub async fn get(client: &mut Client, name: &str, arguments: &[String]) -> Result<(), Error> {
    let mut values = JsonObject::new();
    for word in arguments {
        let Some((key, value)) = word.split_once('=') else {
            return Err(Error::Usage {
                message: format!("`{word}` is not key=value"),
                hint: Some("`prompts` lists the arguments of each prompt".to_owned()),
            });
        };
        values.insert(key.to_owned(), value.into());
    }
    let prompt = client.get_prompt(name, values).await?;
    if client.output.is_json() {
        return client.output.json(&prompt);
    }
    let shown: Vec<_> = prompt.messages.iter().map(show).collect();
    client.output.data(&shown.join("\n"))
}

fn describe(prompt: &Prompt) -> String {
    let arguments = prompt.arguments.iter().flatten();
    let arguments = arguments.map(|one| match one.required {
        Some(true) => format!(" {}=…", one.name),
        _ => format!(" [{}=…]", one.name),
    });
    let usage = format!("{}{}", prompt.name, arguments.collect::<String>());
    let about = prompt.description.as_deref().unwrap_or_default();
    format!("{}  {}", printable_line(&usage), printable_line(about))
}

fn show(message: &PromptMessage) -> String {
    match &message.content {
        ContentBlock::Text(text) => text.text.clone(),
        _ => "[content that is not text; `--json` has it]".to_owned(),
    }
}
