//! Tools that answer at once, one for each kind of content.

use rmcp::{
    ErrorData,
    model::{
        AudioContent, CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock,
        ResourceContents, Tool,
    },
};
use serde_json::{Value, json};

use super::{plain_tool, text, tool};

/// A picture of one pixel.
pub(super) const IMAGE: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNQSFgAAAHEASFiX4r9AAAAAElFTkSuQmCC";
/// Four samples of silence.
const AUDIO: &str = "UklGRigAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQQAAACAgICA";

pub(super) fn tools() -> Vec<Tool> {
    vec![
        plain_tool("test_simple_text", "Answers with text"),
        plain_tool("test_image_content", "Answers with an image"),
        plain_tool("test_audio_content", "Answers with audio"),
        plain_tool("test_embedded_resource", "Answers with a resource"),
        plain_tool("test_multiple_content_types", "Answers with text, an image and a resource"),
        plain_tool("test_error_handling", "Fails, as tools fail"),
        tool(
            "test_custom_header",
            "Takes an argument that the client repeats in a header",
            json!({
                "type": "object",
                "properties": {"value": {"type": "string", "x-mcp-header": "Value"}},
                "required": ["value"],
            }),
        ),
        tool(
            "greet",
            "Greets at once, never as a task",
            json!({
                "type": "object",
                "properties": {"name": {"type": "string"}},
                "required": ["name"],
            }),
        ),
        tool("json_schema_2020_12_tool", "Has a schema that uses JSON Schema 2020-12", schema()),
    ]
}

fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "address",
                "type": "object",
                "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
            },
        },
        "properties": {"name": {"type": "string"}, "address": {"$ref": "#/$defs/address"}},
        "allOf": [{"anyOf": [{"required": ["name"]}, {"required": ["address"]}]}],
        "if": {"required": ["address"]},
        "then": {"properties": {"address": {"required": ["street"]}}},
        "else": {"required": ["name"]},
        "additionalProperties": false,
    })
}

/// The answer, if the tool is one of these.
pub(super) fn call(request: &CallToolRequestParams) -> Option<Result<CallToolResponse, ErrorData>> {
    let argument = |name: &str| request.arguments.as_ref()?.get(name)?.as_str();
    let blocks = match request.name.as_ref() {
        "test_simple_text" => {
            vec![ContentBlock::text("This is a simple text response for testing.")]
        }
        "test_image_content" => vec![ContentBlock::image(IMAGE, "image/png")],
        "test_audio_content" => {
            vec![ContentBlock::Audio(AudioContent::new(AUDIO, "audio/wav"))]
        }
        "test_embedded_resource" => {
            vec![resource("test://embedded-resource", "text/plain", "An embedded resource.")]
        }
        "test_multiple_content_types" => vec![
            ContentBlock::text("Three kinds of content:"),
            ContentBlock::image(IMAGE, "image/png"),
            resource("test://mixed-content-resource", "application/json", r#"{"kinds":3}"#),
        ],
        "test_error_handling" => {
            let words = "This tool intentionally returns an error for testing";
            return Some(Ok(CallToolResult::error(vec![ContentBlock::text(words)]).into()));
        }
        "test_custom_header" => {
            let value = argument("value");
            let missing = || ErrorData::invalid_params("value must be a string", None);
            return Some(value.map(text).ok_or_else(missing));
        }
        "greet" | "json_schema_2020_12_tool" => {
            let words = format!("Hello, {}!", argument("name").unwrap_or("world"));
            vec![ContentBlock::text(words)]
        }
        _ => return None,
    };
    Some(Ok(CallToolResult::success(blocks).into()))
}

fn resource(uri: &str, mime_type: &str, words: &str) -> ContentBlock {
    ContentBlock::resource(ResourceContents::TextResourceContents {
        uri: uri.into(),
        mime_type: Some(mime_type.into()),
        text: words.into(),
        meta: None,
    })
}
