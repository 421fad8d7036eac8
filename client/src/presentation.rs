//! What a tool answered, as people read it.

use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};
use serde_json::Value;

use crate::grammar::parameter::in_words;

const UNKNOWN: &str = "[content of a kind this client does not know; `--json` shows it]";

/// The text of `result`: its structured content where the text only repeats that, which servers do
/// for clients that know no better, else its content.
pub fn present(result: &CallToolResult) -> String {
    match &result.structured_content {
        Some(value) if adds_nothing(&result.content, value) => structured(value),
        _ => result.content.iter().map(block).collect::<Vec<_>>().join("\n"),
    }
}

fn adds_nothing(content: &[ContentBlock], value: &Value) -> bool {
    content.iter().all(|block| match block {
        ContentBlock::Text(text) => {
            serde_json::from_str::<Value>(&text.text).is_ok_and(|read| read == *value)
        }
        _ => false,
    })
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

/// One member per line where all are plain values or lists of them, else indented JSON.
fn structured(value: &Value) -> String {
    let rows = value.as_object().and_then(|members| {
        members.iter().map(|(name, value)| Some((name, cell(value)?))).collect::<Option<Vec<_>>>()
    });
    let Some(rows) = rows else { return format!("{value:#}") };
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let rows = rows.iter().map(|(name, value)| format!("{name:<width$}  {value}"));
    rows.collect::<Vec<_>>().join("\n")
}

/// A plain value, or a list of plain values, in one line.
fn cell(value: &Value) -> Option<String> {
    match value {
        Value::Array(items) => {
            Some(items.iter().map(plain).collect::<Option<Vec<_>>>()?.join(", "))
        }
        value => plain(value),
    }
}

fn plain(value: &Value) -> Option<String> {
    (!value.is_object() && !value.is_array()).then(|| in_words(value))
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
    fn structured_content_is_shown_where_the_text_only_repeats_it() {
        let value = json!({"name": "Nick", "scopes": ["a", "b"]});
        let text = json!([{"type": "text", "text": value.to_string()}]);
        for content in [json!([]), text] {
            let result = json!({"content": content, "structuredContent": value});
            assert_eq!(presented(result), "name    Nick\nscopes  a, b");
        }
        let more = json!({"content": [{"type": "text", "text": "hi"}], "structuredContent": value});
        assert_eq!(presented(more), "hi");
    }

    #[test]
    fn deep_structures_are_shown_as_json() {
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
