//! JSON-RPC messages whose parameters and results pass byte by byte.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{
    Map, Value, json,
    value::{RawValue, to_raw_value},
};

/// JSON as it was sent.
pub(super) type Raw = Box<RawValue>;

/// Bytes of a line from the child that the log shows.
pub(super) const MAX_LOG_LINE: usize = 4 << 10;
/// Member of `_meta` that says to which request a notification belongs (MCP 2026-07-28,
/// subscriptions).
pub(super) const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// One message (JSON-RPC 2.0 §4 and §5).
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Message {
    #[serde(skip_deserializing)]
    jsonrpc: Version,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<Raw>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) params: Option<Raw>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) result: Option<Raw>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<Raw>,
}

#[derive(Debug, Default, Serialize)]
enum Version {
    #[default]
    #[serde(rename = "2.0")]
    Two,
}

impl Message {
    /// Parses one message. `None` unless the bytes are an object with the members of one.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let message: Self = serde_json::from_slice(bytes).ok()?;
        (message.method.is_some() || message.is_response()).then_some(message)
    }

    /// A request of the gate. The link numbers it.
    pub(super) fn request(method: &str) -> Self {
        Self { id: Some(raw(&0)), method: Some(method.into()), ..Self::default() }
    }

    pub(super) fn notification(method: &str, params: Value) -> Self {
        Self { method: Some(method.into()), params: Some(raw(&params)), ..Self::default() }
    }

    /// The response to the request `id`.
    pub(super) fn result(id: Option<Raw>, result: &Value) -> Self {
        Self { id, result: Some(raw(result)), ..Self::default() }
    }

    /// The error that answers the request `id`.
    pub(super) fn error(id: Option<Raw>, code: i32, message: &str, data: Option<Value>) -> Self {
        let mut error = json!({"code": code, "message": message});
        if let Some(data) = data {
            error["data"] = data;
        }
        Self { id, error: Some(raw(&error)), ..Self::default() }
    }

    pub(super) fn is_request(&self) -> bool {
        self.method.is_some() && self.id.is_some()
    }

    pub(super) fn is_response(&self) -> bool {
        self.method.is_none() && self.id.is_some()
    }

    pub(super) fn method(&self) -> &str {
        self.method.as_deref().unwrap_or_default()
    }

    /// The message on one line, whatever line its reader counts as one.
    ///
    /// The guard has checked one message. With a line break between two tokens, the server would read
    /// several. In JSON such a break is white space; the other characters that some readers take for
    /// one (U+0085, U+2028, U+2029) occur in strings only, where they can be escaped.
    pub(super) fn to_line(&self) -> Bytes {
        let json = serde_json::to_string(self).unwrap_or_default();
        let breaks = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
        if !json.contains(breaks) {
            return json.into();
        }
        let mut line = String::with_capacity(json.len() + 16);
        for character in json.chars() {
            match character {
                '\n' | '\r' => line.push(' '),
                '\u{85}' | '\u{2028}' | '\u{2029}' => {
                    line.push_str(&format!("\\u{:04x}", u32::from(character)));
                }
                _ => line.push(character),
            }
        }
        line.into()
    }
}

/// The parameters of a message. Only `_meta` is looked into.
#[derive(Debug, Default)]
pub(super) struct Params {
    members: BTreeMap<String, Raw>,
    pub(super) meta: Map<String, Value>,
}

impl Params {
    /// Parameters of the gate's own.
    pub(super) fn of(params: &Value) -> Self {
        Self::parse(Some(&raw(params))).unwrap_or_default()
    }

    /// `None` unless the parameters are an object.
    pub(super) fn parse(params: Option<&RawValue>) -> Option<Self> {
        let Some(params) = params else {
            return Some(Self::default());
        };
        let mut members: BTreeMap<String, Raw> = serde_json::from_str(params.get()).ok()?;
        let meta = members.remove("_meta").and_then(|meta| serde_json::from_str(meta.get()).ok());
        Some(Self { members, meta: meta.unwrap_or_default() })
    }

    pub(super) fn get(&self, name: &str) -> Option<Value> {
        self.members.get(name).and_then(|value| serde_json::from_str(value.get()).ok())
    }

    /// A member that is a string.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(|value| value.as_str().map(str::to_owned))
    }

    pub(super) fn set(&mut self, name: &str, value: &impl Serialize) {
        self.members.insert(name.into(), raw(value));
    }

    pub(super) fn into_raw(mut self) -> Raw {
        if !self.meta.is_empty() {
            self.members.insert("_meta".into(), raw(&self.meta));
        }
        raw(&self.members)
    }
}

/// A value as JSON. What is serialized here has only strings as names, so it cannot fail.
pub(super) fn raw(value: &impl Serialize) -> Raw {
    to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// The beginning of a line, as a log can show it.
pub(super) fn printable(line: &[u8]) -> String {
    let shown = String::from_utf8_lossy(&line[..line.len().min(MAX_LOG_LINE)]);
    shown.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A value as all spellings of it are written.
pub(super) fn canonical(raw: &RawValue) -> Value {
    serde_json::from_str(raw.get()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_stays_one_whatever_a_reader_takes_for_the_end_of_a_line() {
        let smuggled = r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"drop"}}"#;
        let body = format!(
            "{{\"id\":1,\"method\":\"ping\",\r\n\"params\":{{\"a\":\n{smuggled}\n,\"b\":\"x\u{2028}y\u{85}\u{2029}z\"}}}}"
        );
        let line = Message::parse(body.as_bytes()).unwrap().to_line();
        let text = std::str::from_utf8(&line).unwrap();
        assert!(!text.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']), "{text}");
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(value["params"]["b"], "x\u{2028}y\u{85}\u{2029}z");
        assert_eq!(value["params"]["a"]["id"], 2);
    }

    #[test]
    fn what_is_not_looked_into_passes_as_it_was_written() {
        let body = r#"{"jsonrpc":"2.0","id":12345678901234567890123,"method":"tools/call","params":{"arguments":{"n":1.0e5,"big":12345678901234567890123}}}"#;
        let mut message = Message::parse(body.as_bytes()).unwrap();
        message.params = Params::parse(message.params.as_deref()).map(Params::into_raw);
        assert_eq!(message.to_line(), body);
    }

    #[test]
    fn only_a_message_is_taken_for_one() {
        for text in ["", "[]", "1", "{}", "listening on port 3000", r#"{"id":null,"result":{}}"#] {
            assert!(Message::parse(text.as_bytes()).is_none(), "{text}");
        }
    }
}
