//! What a tool answered, as people read it.

use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};
use serde_json::Value;

use crate::grammar::parameter::in_words;

const UNKNOWN: &str = "[content of a kind this client does not know; `--json` shows it]";

/// The text of `result`: its content, or its structured content where it has no other.
pub fn present(result: &CallToolResult) -> String {
    if result.content.is_empty() {
        return result.structured_content.as_ref().map(structured).unwrap_or_default();
    }
    result.content.iter().map(block).collect::<Vec<_>>().join("\n")
}

fn block(block: &ContentBlock) -> String {
    match block {
        ContentBlock::Text(text) => text.text.clone(),
        ContentBlock::Image(image) => binary("image", &image.mime_type, &image.data),
        ContentBlock::Audio(audio) => binary("audio", &audio.mime_type, &audio.data),
        ContentBlock::ResourceLink(link) => format!("[resource {}] {}", link.uri, link.name),
        ContentBlock::Resource(embedded) => match &embedded.resource {
            ResourceContents::TextResourceContents { uri, text, .. } => {
                format!("[resource {uri}]\n{text}")
            }
            ResourceContents::BlobResourceContents { uri, mime_type, blob, .. } => {
                let kind = mime_type.as_deref().unwrap_or("data");
                format!("{} {uri}", binary("resource", kind, blob))
            }
            _ => UNKNOWN.to_owned(),
        },
        _ => UNKNOWN.to_owned(),
    }
}

/// Three bytes travel in four characters of base64.
fn binary(what: &str, kind: &str, base64: &str) -> String {
    format!("[{what} {kind}, {} bytes; `--json` has it]", base64.len() / 4 * 3)
}

/// One `name: value` per line for an object of plain values, else indented JSON.
fn structured(value: &Value) -> String {
    let is_plain = |value: &Value| !value.is_object() && !value.is_array();
    match value.as_object() {
        Some(members) if members.values().all(is_plain) => members
            .iter()
            .map(|(name, value)| format!("{name}: {}", in_words(value)))
            .collect::<Vec<_>>()
            .join("\n"),
        _ => format!("{value:#}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn presented(result: Value) -> String {
        present(&serde_json::from_value(result).expect("a result"))
    }

    #[test]
    fn text_is_shown_as_it_is() {
        let result = json!({"content": [{"type": "text", "text": "Hello Nick Lucas: ping pong"}]});
        assert_eq!(presented(result), "Hello Nick Lucas: ping pong");
    }

    #[test]
    fn structured_content_is_shown_when_there_is_nothing_else() {
        let plain = json!({"content": [], "structuredContent": {"name": "Nick", "age": 3}});
        assert_eq!(presented(plain), "name: Nick\nage: 3");
        let deep = json!({"content": [], "structuredContent": {"a": {"b": 1}}});
        assert_eq!(presented(deep), "{\n  \"a\": {\n    \"b\": 1\n  }\n}");
    }

    #[test]
    fn what_cannot_be_printed_is_named() {
        let result = json!({"content": [
            {"type": "image", "data": "AAAAAAAA", "mimeType": "image/png"},
            {"type": "resource_link", "uri": "file:///a", "name": "a"},
            {"type": "resource", "resource": {"uri": "file:///b", "text": "inside"}},
        ]});
        assert_eq!(
            presented(result),
            "[image image/png, 6 bytes; `--json` has it]\n[resource file:///a] a\n\
             [resource file:///b]\ninside"
        );
    }
}
