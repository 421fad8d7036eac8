//! `client call`: calls a tool and prints what it answers.

use rmcp::model::{JsonObject, Tool};

use crate::{
    arguments::{Given, arguments, begun, parameter::parameters},
    commands::presentation::Presenter,
    error::Error,
    prompt::{confirm, form::fill},
    session::client::Client,
    terminal::printable::printable_line,
};

/// Calls `name` with the arguments that `given` means for it.
///
/// # Errors
/// [`Error::ToolFailed`] when the tool reports an error, after its words have been printed;
/// otherwise [`Error`] when it could not be called.
pub async fn run(client: &mut Client, name: &str, given: &Given) -> Result<(), Error> {
    let tool = client.tool(name).await?;
    let Some(arguments) = arguments_of(client, &tool, given).await? else { return Ok(()) };
    let result = client.call_tool(&tool, arguments).await?;
    if client.output.is_json() {
        client.output.json(&result)?;
    } else {
        let mut presenter = Presenter::new(client.received(), client.output.columns(), name);
        let shown = presenter.result(&result);
        presenter.write(&client.output, &shown)?;
    }
    if result.is_error == Some(true) {
        return Err(Error::ToolFailed { tool: name.to_owned() });
    }
    Ok(())
}

/// The arguments as given. Where some are missing and somebody can be asked, they are asked for;
/// `None` if the person gave up.
async fn arguments_of(
    client: &Client,
    tool: &Tool,
    given: &Given,
) -> Result<Option<JsonObject>, Error> {
    let given = &settled(client, tool, given.clone()).await?;
    let complete = match arguments(tool, given) {
        Ok(arguments) if !arguments.is_empty() => return Ok(Some(arguments)),
        complete => complete,
    };
    let parameters = parameters(&tool.input_schema);
    if !client.may_ask() || parameters.is_empty() {
        return Ok(Some(complete?));
    }
    let begun = begun(tool, given)?;
    if let Some(about) = &tool.description {
        client.output.say(&printable_line(about));
    }
    client.output.say("Esc at any argument calls nothing.");
    fill(&parameters, begun, client.output.is_coloured()).await
}

/// What was given, once the person has said what they mean by names that resemble arguments.
async fn settled(client: &Client, tool: &Tool, mut given: Given) -> Result<Given, Error> {
    while client.may_ask()
        && let Err(error) = begun(tool, &given)
        && let Some((name, meant)) = error.resembling()
    {
        let (name, meant) = (name.to_owned(), meant.to_owned());
        let question = format!("There is no argument {name}. Did you mean {meant}?");
        given = if confirm(&printable_line(&question), client.output.is_coloured()).await? {
            given.corrected(&name, &meant)
        } else {
            given.meaning(&name)
        };
    }
    Ok(given)
}
