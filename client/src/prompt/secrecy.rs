//! Which lines of the prompt may hold a secret, so that they are not written to the history.

use rmcp::model::Tool;
use serde_json::Value;

/// How names of secrets end.
const SECRET_WORDS: [&str; 8] =
    ["password", "passwd", "passphrase", "secret", "token", "credential", "credentials", "apikey"];

/// Whether `line` may hold a secret: it begins with a space, as users keep a line out of the
/// history of a shell; it names something like a password; or `tool`, which it calls, takes one.
pub(crate) fn may_hold_secret(line: &str, tool: Option<&Tool>) -> bool {
    line.starts_with(' ') || names_secret(line) || tool.is_some_and(takes_secret)
}

fn takes_secret(tool: &Tool) -> bool {
    let properties = tool.input_schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flatten().any(|(name, schema)| {
        names_secret(name)
            || schema.get("format").and_then(Value::as_str) == Some("password")
            || schema.get("writeOnly").and_then(Value::as_bool) == Some(true)
    })
}

/// Whether a word of `text` that could be a name is that of a secret.
fn names_secret(text: &str) -> bool {
    let text = text.to_lowercase();
    let mut names = text.split(|character: char| !character.is_alphanumeric());
    names.any(|name| name == "api" || SECRET_WORDS.iter().any(|word| name.ends_with(word)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    #[test]
    fn lines_that_name_a_secret_are_not_for_the_history() {
        for line in [
            " echo ping",
            "connect password=hunter2",
            "connect PASSWORD:=\"x\"",
            "call connect accessToken=a",
            "connect api_key=k",
            "connect auth:={\"clientSecret\": \"s\"}",
        ] {
            assert!(may_hold_secret(line, None), "{line}");
        }
        for line in ["echo ping pong", "rapid fire", "read notes://mine", "use work"] {
            assert!(!may_hold_secret(line, None), "{line}");
        }
    }

    #[test]
    fn a_tool_that_takes_a_secret_keeps_its_calls_out_of_the_history() {
        let takes = |property: Value| {
            let schema = json!({ "properties": property });
            let schema = schema.as_object().cloned().expect("an object");
            let tool = Tool::new("connect", "Connects", Arc::new(schema));
            may_hold_secret("connect hunter2", Some(&tool))
        };
        assert!(takes(json!({"password": {"type": "string"}})));
        assert!(takes(json!({"pin": {"type": "string", "format": "password"}})));
        assert!(takes(json!({"pin": {"type": "string", "writeOnly": true}})));
        assert!(!takes(json!({"message": {"type": "string"}})));
    }
}
