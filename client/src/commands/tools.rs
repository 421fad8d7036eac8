//! `client tools`: what the server can do, with the arguments of each tool.

use rmcp::model::{Tool, ToolAnnotations};
use serde_json::Value;

use crate::{
    arguments::{
        Signature,
        parameter::{Additional, Parameter, Parameters, in_words},
    },
    error::Error,
    session::client::Client,
    terminal::{
        printable::{printable_line, shortened},
        text::{Style, Text},
    },
};

/// The longest text about itself that a server may put before its tools, in characters.
const MAX_INSTRUCTIONS: usize = 1500;

/// Member of `_meta` in which a server behind the guard of this project declares scopes.
const SCOPES: &str = "portcullis/scopes";

/// Lists all tools, after what the server says about itself.
pub(crate) async fn run(client: &mut Client) -> Result<(), Error> {
    client.list_tools().await?;
    let output = &client.output;
    if output.is_json() {
        return Ok(output.json(&client.tools)?);
    }
    if client.tools.is_empty() {
        output.say(&format!("{} has no tools.", client.server));
        return Ok(());
    }
    let mut text = output.new_text();
    if let Some(instructions) = client.instructions() {
        text.push_styled(Style::Faint, &shortened(&instructions, MAX_INSTRUCTIONS));
        text.push("\n\n");
    }
    for (number, tool) in client.tools.iter().enumerate() {
        text.push(if number == 0 { "" } else { "\n\n" });
        describe(tool, &mut text);
    }
    Ok(output.text(&text)?)
}

/// Shows the tool called `name` alone, with everything that its server says about it.
pub(crate) async fn show(client: &mut Client, name: &str) -> Result<(), Error> {
    let tool = client.tool(name).await?;
    if client.output.is_json() {
        return Ok(client.output.json(&tool)?);
    }
    let mut text = client.output.new_text();
    describe(&tool, &mut text);
    for (name, value) in facts(&tool) {
        text.push("\n  ");
        text.push_styled(Style::Faint, &format!("{name:<9}"));
        text.push(&format!(" {}", printable_line(&value)));
    }
    Ok(client.output.text(&text)?)
}

fn describe(tool: &Tool, text: &mut Text) {
    text.push_styled(Style::Strong, &printable_line(&tool.name));
    if let Some(title) = &tool.title {
        text.push(&format!("  ({})", printable_line(title)));
    }
    if let Some(description) = &tool.description {
        text.push(&format!("\n  {}", printable_line(description)));
    }
    let Parameters { named, additional } = Parameters::parse(&tool.input_schema);
    let width = named.iter().map(|parameter| parameter.name.chars().count()).max();
    let width = width.unwrap_or_default();
    for parameter in &named {
        text.push(&format!("\n    {}", describe_parameter(parameter, width)));
    }
    if matches!(additional, Additional::Of(_)) {
        text.push("\n    any other name=value");
    }
}

fn describe_parameter(parameter: &Parameter, width: usize) -> String {
    let bounds = parameter.limits.in_words().map(|bounds| format!(", {bounds}"));
    let need = match (&parameter.default, parameter.is_required) {
        (_, true) => ", required".to_owned(),
        (Some(default), false) => format!(", {} if left out", in_words(default)),
        (None, false) => String::new(),
    };
    let about =
        parameter.description.as_deref().map(|words| format!(": {}", printable_line(words)));
    let name = printable_line(&parameter.name);
    let facts = format!("{}{}{need}", parameter.expected(), bounds.unwrap_or_default());
    format!("{name:<width$}  {}{}", printable_line(&facts), about.unwrap_or_default())
}

/// How the tool is called, what it needs, and what its server says that it does. A client cannot
/// check that (MCP, "Tool annotations").
fn facts(tool: &Tool) -> Vec<(&'static str, String)> {
    let mut facts = vec![("usage", Signature::parse(tool).usage())];
    let scopes = tool.meta.as_ref().and_then(|meta| meta.0.get(SCOPES)).and_then(Value::as_array);
    let scopes: Vec<_> = scopes.into_iter().flatten().filter_map(Value::as_str).collect();
    if !scopes.is_empty() {
        facts.push(("scopes", scopes.join(" ")));
    }
    if let Some(says) = tool.annotations.as_ref().map(annotated).filter(|says| !says.is_empty()) {
        facts.push(("says", says));
    }
    facts
}

fn annotated(annotations: &ToolAnnotations) -> String {
    let hints = [
        (annotations.read_only_hint, "changes nothing", "changes something"),
        (annotations.destructive_hint, "may destroy something", "destroys nothing"),
        (annotations.idempotent_hint, "twice is as once", "twice is not as once"),
        (annotations.open_world_hint, "reaches beyond its server", "stays in its server"),
    ];
    let told = hints.into_iter().filter_map(|(hint, yes, no)| Some(if hint? { yes } else { no }));
    told.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    fn tool(schema: Value) -> Tool {
        let schema = schema.as_object().cloned().expect("an object");
        Tool::new("echo", "Greets you", Arc::new(schema)).with_title("Echo")
    }

    #[test]
    fn a_tool_is_described_with_its_arguments_and_their_bounds() {
        let schema = json!({
            "properties": {
                "limit": {"type": "integer", "default": 10, "minimum": 1, "maximum": 50},
                "message": {"type": "string", "description": "What\nto say"},
            },
            "required": ["message"],
        });
        let mut text = Text::new(false);
        describe(&tool(schema), &mut text);
        assert_eq!(
            text.shown(None),
            "echo  (Echo)\n  Greets you\n    message  text, required: What to say\n    \
             limit    a whole number, from 1 to 50, 10 if left out"
        );
    }

    #[test]
    fn scopes_and_annotations_are_told() {
        let mut tool = tool(json!({"properties": {"message": {"type": "string"}}}));
        tool.annotations = Some(ToolAnnotations::new().read_only(true).open_world(false));
        tool.meta = serde_json::from_value(json!({SCOPES: ["notes:read", "notes:write"]})).ok();
        let expected = [
            ("usage", "echo <message>   or   echo [message=<text>]".to_owned()),
            ("scopes", "notes:read notes:write".to_owned()),
            ("says", "changes nothing, stays in its server".to_owned()),
        ];
        assert_eq!(facts(&tool), expected);
    }
}
