//! `client call`: reads the arguments, asks for those that are missing, calls, and prints the
//! result.

use rmcp::model::{CallToolResult, JsonObject, Tool};

use crate::{
    arguments::{RawArguments, Signature},
    commands::presentation::Presenter,
    error::Error,
    prompt::{confirm, form::fill},
    session::client::Client,
    terminal::printable::printable_line,
};

/// Calls the tool `name`. If the tool reports an error, its text is printed like a result and
/// [`Error::ToolFailed`] is returned.
pub(crate) async fn run(client: &mut Client, name: &str, raw: RawArguments) -> Result<(), Error> {
    let tool = client.tool(name).await?;
    let Some(arguments) = arguments(client, &tool, raw).await? else { return Ok(()) };
    let result = client.call_tool(&tool, arguments).await?;
    present(client, name, &result)
}

/// The arguments in `raw` and, if the user can be asked, what they add. `None` if they cancel.
async fn arguments(
    client: &Client,
    tool: &Tool,
    raw: RawArguments,
) -> Result<Option<JsonObject>, Error> {
    let signature = Signature::parse(tool);
    let arguments = read(client, &signature, raw).await?;
    let is_incomplete = arguments.is_empty() || !signature.missing(&arguments).is_empty();
    if !is_incomplete || signature.parameters().is_empty() || !client.may_ask() {
        return Ok(Some(signature.complete(arguments)?));
    }
    if let Some(about) = &tool.description {
        client.output.say(&printable_line(about));
    }
    client.output.say("Esc at any argument calls nothing.");
    fill(signature.parameters(), arguments, client.output.is_coloured()).await
}

/// Reads `raw`, and asks the user about names that resemble those of arguments.
async fn read(
    client: &Client,
    signature: &Signature,
    mut raw: RawArguments,
) -> Result<JsonObject, Error> {
    loop {
        let error = match signature.read(&raw) {
            Ok(arguments) => return Ok(arguments),
            Err(error) => error,
        };
        let Some((name, meant)) = error.resembling().filter(|_| client.may_ask()) else {
            return Err(error.into());
        };
        let question = format!("There is no argument {name}. Did you mean {meant}?");
        raw = if confirm(&printable_line(&question), client.output.is_coloured()).await? {
            raw.corrected(name, meant)
        } else {
            raw.confirming(name)
        };
    }
}

fn present(client: &Client, name: &str, result: &CallToolResult) -> Result<(), Error> {
    if client.output.is_json() {
        client.output.json(result)?;
    } else {
        let mut presenter = Presenter::new(client.received(), client.output.columns(), name);
        let shown = presenter.result(result);
        presenter.write(&client.output, &shown)?;
    }
    if result.is_error == Some(true) {
        return Err(Error::ToolFailed { tool: name.to_owned() });
    }
    Ok(())
}
