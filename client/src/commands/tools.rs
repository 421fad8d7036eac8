//! `client tools`: what the server can do, with the arguments of each tool.

use rmcp::model::Tool;

use crate::{
    arguments::parameter::{Additional, Parameter, Parameters, in_words},
    commands::presentation::print_list,
    error::Error,
    session::client::Client,
    terminal::printable::printable_line,
};

pub(crate) async fn run(client: &mut Client) -> Result<(), Error> {
    client.list_tools().await?;
    print_list(client, &client.tools, describe, "\n\n", "has no tools")
}

/// Shows the tool called `name` alone.
pub(crate) async fn show(client: &mut Client, name: &str) -> Result<(), Error> {
    let tool = client.tool(name).await?;
    if client.output.is_json() {
        return Ok(client.output.json(&tool)?);
    }
    Ok(client.output.data(&describe(&tool))?)
}

fn describe(tool: &Tool) -> String {
    let title = tool.title.as_deref().map(|title| format!("  ({})", printable_line(title)));
    let mut lines = vec![format!("{}{}", printable_line(&tool.name), title.unwrap_or_default())];
    if let Some(description) = &tool.description {
        lines.push(format!("  {}", printable_line(description)));
    }
    let Parameters { named, additional } = Parameters::parse(&tool.input_schema);
    let width = named.iter().map(|parameter| parameter.name.chars().count()).max();
    let width = width.unwrap_or_default();
    lines.extend(named.iter().map(|parameter| describe_parameter(parameter, width)));
    if matches!(additional, Additional::Of(_)) {
        lines.push("    any other name=value".to_owned());
    }
    lines.join("\n")
}

fn describe_parameter(parameter: &Parameter, width: usize) -> String {
    let need = match (&parameter.default, parameter.is_required) {
        (_, true) => ", required".to_owned(),
        (Some(default), false) => format!(", {} if left out", in_words(default)),
        (None, false) => String::new(),
    };
    let about =
        parameter.description.as_deref().map(|words| format!(": {}", printable_line(words)));
    let name = printable_line(&parameter.name);
    let expected = printable_line(&parameter.expected());
    format!("    {name:<width$}  {expected}{need}{}", about.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    #[test]
    fn a_tool_is_described_with_its_arguments() {
        let schema = json!({
            "properties": {
                "limit": {"type": "integer", "default": 10},
                "message": {"type": "string", "description": "What\nto say"},
            },
            "required": ["message"],
        });
        let schema = schema.as_object().cloned().expect("an object");
        let tool = Tool::new("echo", "Greets you", Arc::new(schema)).with_title("Echo");
        assert_eq!(
            describe(&tool),
            "echo  (Echo)\n  Greets you\n    message  text, required: What to say\n    \
             limit    a whole number, 10 if left out"
        );
    }
}
