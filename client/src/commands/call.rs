//! `client call`: calls a tool and prints what it answers.

use crate::error::Error;
use crate::grammar::{Given, arguments};
use crate::presentation::present;
use crate::session::Session;

/// Calls `name` with the arguments that `given` means for it.
///
/// # Errors
/// [`Error::ToolFailed`] when the tool reports an error, after its words have been printed;
/// otherwise [`Error`] when it could not be called.
pub async fn run(session: &mut Session, name: &str, given: &Given) -> Result<(), Error> {
    let tool = session.tool(name).await.map_err(|error| or_a_word(error, name))?;
    let arguments = arguments(&tool, given)?;
    let result = session.call_tool(&tool, arguments).await?;
    if session.output.is_json() {
        session.output.json(&result)?;
    } else {
        session.output.data(&present(&result))?;
    }
    if result.is_error == Some(true) {
        return Err(Error::ToolFailed { tool: name.to_owned() });
    }
    Ok(())
}
