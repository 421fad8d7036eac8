//! Reads a JSON-RPC message that no other reader can understand differently.
//!
//! JSON parsers disagree about repeated members (some take the first, some the last, some fail),
//! about case (Go's parser accepts `Method` for `method`) and about a NUL, at which some end a name.
//! The server behind the guard may use any of them, so a message whose meaning depends on the parser
//! is refused.

use std::borrow::Cow;

use keys::unique_json::{self, Object, Value};
use serde_json::Value as Id;

/// A JSON-RPC message (JSON-RPC 2.0 §4).
#[derive(Debug, Default)]
pub(crate) struct Message<'a> {
    /// The method; `None` for a response.
    pub(crate) method: Option<Cow<'a, str>>,
    /// The parameters as sent. MCP has only objects, which the method must check.
    pub(crate) params: Option<Value<'a>>,
    /// The id of the request; `None` for a notification.
    pub(crate) id: Option<Id>,
}

impl<'a> Message<'a> {
    /// Parses a message. `None` if the bytes are not exactly one, or if it is ambiguous.
    pub(crate) fn parse(body: &'a [u8]) -> Option<Self> {
        let mut members = unique_json::parse(body).ok()?;
        if has_look_alike(&members, &["jsonrpc", "id", "method", "params", "result", "error"]) {
            return None;
        }
        let id = members.get("id").map(message_id);
        let Some(method) = members.remove("method") else {
            return Some(Self { id: id.flatten(), ..Self::default() });
        };
        // A request is not also a response, and its id is a string or a number (MCP, Messages).
        let is_response = members.get("result").is_some() || members.get("error").is_some();
        match (method, id) {
            (_, Some(None)) => None,
            (Value::String(method), id) if !is_response => {
                let params = members.remove("params");
                Some(Self { method: Some(method), params, id: id.flatten() })
            }
            _ => None,
        }
    }
}

/// An id, if it is a string or a number.
fn message_id(id: &Value<'_>) -> Option<Id> {
    match id {
        Value::String(text) => Some(Id::String(text.as_ref().to_owned())),
        Value::Number(number) => Some(Id::Number(number.clone())),
        _ => None,
    }
}

/// Whether an object has a member that differs from one of `known` only in case.
pub(crate) fn has_look_alike(object: &Object<'_>, known: &[&str]) -> bool {
    object.names().any(|name| {
        !known.contains(&name) && known.iter().any(|known| is_equal_ignoring_case(name, known))
    })
}

/// Whether two names differ in case only, `known` being ASCII.
fn is_equal_ignoring_case(name: &str, known: &str) -> bool {
    if name.is_ascii() {
        name.eq_ignore_ascii_case(known)
    } else {
        fold_case(name) == fold_case(known)
    }
}

/// Removes differences in case. Upper case comes first, so that the long s (ſ) and the Kelvin sign (K)
/// become ASCII letters too.
pub(crate) fn fold_case(text: &str) -> String {
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_message_is_read_with_its_method_params_and_id() {
        let message = Message::parse(br#" {"jsonrpc":"2.0","id":"a","method":"p\u0069ng"} "#);
        let message = message.unwrap();
        assert_eq!(message.method.as_deref(), Some("ping"));
        assert_eq!((message.id, message.params), (Some("a".into()), None));
        for answer in [r#"{"id":1,"result":{}}"#, r#"{"id":null,"error":{}}"#, "{}"] {
            let message = Message::parse(answer.as_bytes());
            assert_eq!(message.map(|message| message.method), Some(None), "{answer}");
        }
        let numbers = br#"{"method":"x","params":{"a":[1,-1,1.5e3,true,null,"b",{"c":1}]}}"#;
        assert!(Message::parse(numbers).is_some());
    }

    #[test]
    fn what_two_readers_could_understand_differently_is_no_message() {
        for body in [
            // Members that come twice, at the top, below, and spelled with escapes.
            r#"{"method":"ping","method":"tools/call"}"#,
            r#"{"id":1,"id":2,"method":"ping"}"#,
            r#"{"method":"tools/call","params":{"name":"a"},"params":{"name":"b"}}"#,
            r#"{"method":"tools/call","params":{"name":"a","n\u0061me":"b"}}"#,
            r#"{"method":"tools/call","params":{"name":"a","arguments":{"x":1,"x":2}}}"#,
            r#"{"method":"x","params":{"a":[[{"b":1,"b":1}]]}}"#,
            r#"{"method":"completion/complete","params":{"ref":{"type":"a","type":"b"}}}"#,
            // Case that some readers do not tell apart.
            r#"{"method":"ping","Method":"tools/call"}"#,
            r#"{"METHOD":"tools/call"}"#,
            r#"{"method":"ping","param\u017f":{}}"#,
            // Names that some readers end at a NUL.
            r#"{"method":"ping","method\u0000":"tools/call"}"#,
            r#"{"method":"tools/call","params":{"name":"a","name\u0000":"b"}}"#,
            // A request that is also an answer, and requests whose id is none.
            r#"{"id":1,"method":"tools/call","result":{}}"#,
            r#"{"id":1,"method":"tools/call","error":{}}"#,
            r#"{"id":null,"method":"ping"}"#,
            r#"{"id":{},"method":"ping"}"#,
            r#"{"id":[1],"method":"ping"}"#,
            r#"{"id":true,"method":"ping"}"#,
            // Methods that are no text.
            r#"{"method":7}"#,
            r#"{"method":null,"params":{"name":"a"}}"#,
            r#"{"method":["tools/call"]}"#,
            // No object, or more than one.
            r#"[{"method":"ping"}]"#,
            r#"["ping"]"#,
            r#"{"method":"ping"}{"method":"ping"}"#,
            r#"{"method":"ping"},"#,
            "\u{feff}{}",
            "{",
            "",
            "null",
            "\"ping\"",
        ] {
            assert!(Message::parse(body.as_bytes()).is_none(), "{body}");
        }
        assert!(Message::parse(b"{\"method\":\"a\xff\"}").is_none());
        let deep = format!(r#"{{"method":"x","params":{}{}}}"#, "[".repeat(500), "]".repeat(500));
        assert!(Message::parse(deep.as_bytes()).is_none());
    }
}
