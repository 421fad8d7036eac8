//! What a request asks for, read from its body before anything acts on it.
//!
//! The headers `Mcp-Method` and `Mcp-Name` are checked against the body only on the 2026-07-28
//! wire; on older ones they may lie. So the body alone counts, on every wire, and whatever could
//! be read in two ways (a member that comes twice, a batch) is refused.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

/// One operation, as far as access depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// Handshake, lists, answers, notifications, tasks: a good token is enough. What a list shows
    /// is the server's to decide, and a task belongs to whoever started it.
    Open,
    /// `tools/call`.
    Tool(String),
    /// `prompts/get`, or completion of a prompt's argument.
    Prompt(String),
    /// `resources/read`, a subscription, or completion of a template's variable: each of the URIs.
    Resources(Vec<String>),
    /// `subscriptions/listen`, to changes of these URIs: its answer never ends by itself.
    Listen(Vec<String>),
    /// Anything else. It needs the basic scopes.
    Other,
}

/// The members that matter. serde refuses a member that comes twice.
#[derive(Deserialize)]
struct Message {
    method: Option<String>,
    params: Option<Parameters>,
    #[serde(rename = "jsonrpc")]
    _version: Option<IgnoredAny>,
    id: Option<Value>,
    #[serde(rename = "result")]
    _result: Option<IgnoredAny>,
    #[serde(rename = "error")]
    _error: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
struct Parameters {
    name: Option<Text>,
    uri: Option<Text>,
    #[serde(rename = "ref")]
    reference: Option<Reference>,
    notifications: Option<Notifications>,
    #[serde(rename = "arguments")]
    _arguments: Option<IgnoredAny>,
    #[serde(rename = "_meta")]
    _meta: Option<IgnoredAny>,
}

/// A string; of anything else it is only known that it is none. Another method's parameter of the
/// same name may have any type.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Is(String),
    IsNot(IgnoredAny),
}

#[derive(Deserialize)]
struct Reference {
    name: Option<Text>,
    uri: Option<Text>,
}

#[derive(Deserialize)]
struct Notifications {
    #[serde(rename = "resourceSubscriptions")]
    resources: Option<Vec<String>>,
}

impl Text {
    fn text(self) -> Option<String> {
        match self {
            Self::Is(text) => Some(text),
            Self::IsNot(_) => None,
        }
    }
}

/// What a POST asks for, and the id that its answer will carry.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) operation: Operation,
    pub(super) id: Option<Value>,
}

impl Asked {
    /// Reads the body of a POST. `None` means that it is no single JSON-RPC message, or one that
    /// two readers could understand differently.
    pub(super) fn of(body: &[u8]) -> Option<Self> {
        // serde would take an array for the members in their order.
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
        if first != Some(&b'{') {
            return None;
        }
        let message: Message = serde_json::from_slice(body).ok()?;
        let operation = match message.method {
            Some(method) => message.params.unwrap_or_default().of_method(&method),
            None => Operation::Open,
        };
        Some(Self { operation, id: message.id })
    }
}

impl Parameters {
    fn of_method(self, method: &str) -> Operation {
        let named = |name: Option<Text>| name.and_then(Text::text);
        let one = |uri: Option<String>| uri.map(|uri| Operation::Resources(vec![uri]));
        let operation = match method {
            "tools/call" => named(self.name).map(Operation::Tool),
            "prompts/get" => named(self.name).map(Operation::Prompt),
            "resources/read"
            | "resources/subscribe"
            | "resources/unsubscribe"
            | "resources/directory/read" => one(named(self.uri)),
            "completion/complete" => self.reference.and_then(|reference| {
                let prompt = named(reference.name).map(Operation::Prompt);
                prompt.or_else(|| one(named(reference.uri)))
            }),
            "subscriptions/listen" => {
                let resources = self.notifications.and_then(|wanted| wanted.resources);
                Some(Operation::Listen(resources.unwrap_or_default()))
            }
            "initialize" | "server/discover" | "ping" | "logging/setLevel" | "tasks/get"
            | "tasks/update" | "tasks/cancel" => Some(Operation::Open),
            _ if method.starts_with("notifications/") || method.ends_with("/list") => {
                Some(Operation::Open)
            }
            _ => Some(Operation::Other),
        };
        operation.unwrap_or(Operation::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Option<Operation> {
        Asked::of(body.as_bytes()).map(|asked| asked.operation)
    }

    #[test]
    fn an_operation_is_known_by_its_method_and_the_name_of_its_object() {
        let tool = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"}}"#;
        assert_eq!(read(tool), Some(Operation::Tool("echo".into())));
        let escaped = r#"{"method":"tools\/call","params":{"name":"\u0065cho"}}"#;
        assert_eq!(read(escaped), Some(Operation::Tool("echo".into())));
        let listen = r#"{"method":"subscriptions/listen",
            "params":{"notifications":{"resourceSubscriptions":["a:b"]}}}"#;
        assert_eq!(read(listen), Some(Operation::Listen(vec!["a:b".into()])));
        let complete = r#"{"method":"completion/complete",
            "params":{"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"x"}}}"#;
        assert_eq!(read(complete), Some(Operation::Prompt("p".into())));
        for open in ["initialize", "tools/list", "ping", "tasks/get", "notifications/cancelled"] {
            assert_eq!(read(&format!(r#"{{"method":"{open}"}}"#)), Some(Operation::Open), "{open}");
        }
        assert_eq!(read(r#"{"id":1,"result":{}}"#), Some(Operation::Open));
    }

    #[test]
    fn what_is_not_known_needs_the_basic_scopes() {
        for body in [
            r#"{"method":"tools/call"}"#,
            r#"{"method":"tools/call","params":{"name":7}}"#,
            r#"{"method":"tools/Call","params":{"name":"echo"}}"#,
            r#"{"method":"anything/else"}"#,
        ] {
            assert_eq!(read(body), Some(Operation::Other), "{body}");
        }
    }

    #[test]
    fn what_two_readers_could_understand_differently_is_refused() {
        for body in [
            r#"{"method":"tools/call","params":{"name":"echo","name":"report"}}"#,
            r#"{"method":"ping","method":"tools/call","params":{"name":"echo"}}"#,
            r#"{"method":"tools/call","params":{"name":"a"},"params":{"name":"b"}}"#,
            r#"[{"method":"ping"}]"#,
            r#"["ping"]"#,
            r#"{"method":7}"#,
            "{",
            "",
            "\u{feff}{}",
        ] {
            assert_eq!(read(body), None, "{body}");
        }
    }
}
