//! `client call`: calls a tool and prints what it answers.

use crate::{
    client::Client,
    error::Error,
    grammar::{Given, arguments},
    presentation::present,
};

/// Calls `name` with the arguments that `given` means for it.
///
/// # Errors
/// [`Error::ToolFailed`] when the tool reports an error, after its words have been printed;
/// otherwise [`Error`] when it could not be called.
pub async fn run(client: &mut Client, name: &str, given: &Given) -> Result<(), Error> {
    let tool = client.tool(name).await?;
    let arguments = arguments(&tool, given)?;
    let result = client.call_tool(&tool, arguments).await?;
    if client.output.is_json() {
        client.output.json(&result)?;
    } else {
        client.output.data(&present(&result))?;
    }
    if result.is_error == Some(true) {
        return Err(Error::ToolFailed { tool: name.to_owned() });
    }
    Ok(())
}
