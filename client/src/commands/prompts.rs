//! `client prompts` and `client prompt`: what the server suggests to say, and one of it filled in.

use rmcp::model::{JsonObject, Prompt};

use crate::{
    arguments::{
        RawArguments,
        parameter::{Kind, Parameter},
    },
    commands::presentation::{Presenter, print_list},
    error::Error,
    prompt::form::fill,
    session::client::Client,
    terminal::printable::printable_line,
};

pub(crate) async fn run(client: &mut Client) -> Result<(), Error> {
    client.list_prompts().await?;
    print_list(client, &client.prompts, describe, "\n", "has no prompts")
}

/// Fills in the prompt called `name` with `raw`, words like key=value.
pub(crate) async fn get(client: &mut Client, name: &str, raw: &RawArguments) -> Result<(), Error> {
    let values = values(raw).map_err(|message| Error::Usage {
        message,
        hint: Some("`prompts` lists the arguments of each prompt".to_owned()),
    })?;
    let Some(values) = complete(client, name, values).await? else { return Ok(()) };
    let prompt = client.get_prompt(name, values).await?;
    if client.output.is_json() {
        return Ok(client.output.json(&prompt)?);
    }
    let mut presenter = Presenter::new(client.received(), client.output.columns(), name);
    let messages = prompt.messages.iter();
    let shown: Vec<_> = messages.map(|message| presenter.block(&message.content)).collect();
    presenter.write(&client.output, &shown)
}

/// The arguments in `given` and, if the user can be asked, the missing ones.
/// `None` if the user cancels.
async fn complete(
    client: &mut Client,
    name: &str,
    given: JsonObject,
) -> Result<Option<JsonObject>, Error> {
    if !client.may_ask() {
        return Ok(Some(given));
    }
    if client.prompts.is_empty() {
        client.list_prompts().await?;
    }
    let prompt = client.prompts.iter().find(|prompt| prompt.name == name);
    let arguments = prompt.map(arguments).unwrap_or_default();
    let is_missing = |one: &Parameter| one.is_required && !given.contains_key(&one.name);
    if arguments.is_empty() || !(given.is_empty() || arguments.iter().any(is_missing)) {
        return Ok(Some(given));
    }
    client.output.say("Esc at any argument gets nothing.");
    fill(&arguments, given, client.output.is_coloured()).await
}

/// The arguments that `prompt` declares, the required ones first.
fn arguments(prompt: &Prompt) -> Vec<Parameter> {
    let arguments = prompt.arguments.iter().flatten();
    let mut arguments: Vec<_> = arguments
        .map(|one| Parameter {
            name: one.name.clone(),
            title: one.title.clone(),
            kind: Kind::Text,
            is_required: one.required == Some(true),
            description: one.description.clone(),
            ..Parameter::default()
        })
        .collect();
    arguments.sort_by_key(|one| !one.is_required);
    arguments
}

/// The arguments of a prompt, each of which is text.
fn values(raw: &RawArguments) -> Result<JsonObject, String> {
    let words = raw.words().ok_or("a quote is not closed")?;
    let mut values = JsonObject::new();
    for word in words {
        let Some((key, value)) = word.split_once('=') else {
            return Err(format!("`{word}` is not key=value; a value with spaces needs quotes"));
        };
        if values.insert(key.to_owned(), value.into()).is_some() {
            return Err(format!("`{key}` is given twice"));
        }
    }
    Ok(values)
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_values_of_a_prompt_may_be_quoted() {
        let values = |line: &str| values(&RawArguments::from_line(line)).map(Value::from);
        let named = json!({"name": "Nick Lucas", "tone": "kind"});
        assert_eq!(values("name=\"Nick Lucas\" tone=kind"), Ok(named));
        assert_eq!(values(""), Ok(json!({})));
        assert_eq!(values("name='it is = so'"), Ok(json!({"name": "it is = so"})));
        for wrong in ["name=Nick Lucas", "name=\"Nick", "name=a name=b"] {
            assert!(values(wrong).is_err(), "{wrong}");
        }
    }
}
