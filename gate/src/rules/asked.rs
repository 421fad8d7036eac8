//! What a message asks for, as far as rules are about it.
//!
//! The guard has refused messages that two readers could understand differently, so any reader will do.

use serde_json::Value;

use super::decision::Kind;

/// Requests that concern no tool, prompt or resource, besides notifications and lists.
const OPEN: [&str; 8] = [
    "initialize",
    "ping",
    "server/discover",
    "logging/setLevel",
    "subscriptions/listen",
    "tasks/get",
    "tasks/update",
    "tasks/cancel",
];
/// The place of the URIs to which a client subscribes.
const SUBSCRIBED: &str = "/params/notifications/resourceSubscriptions";

/// A message of a caller.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) message: Value,
    pub(crate) method: String,
    /// Where the names are that rules are about.
    places: Vec<(Kind, String)>,
}

impl Asked {
    /// Reads a message. `None` if it is not one.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let message: Value = serde_json::from_slice(body).ok()?;
        let method = message.get("method").and_then(Value::as_str).unwrap_or_default().to_owned();
        let places = places(&method, &message);
        message.is_object().then_some(Self { message, method, places })
    }

    /// Each name that rules are about.
    pub(crate) fn subjects(&self) -> impl Iterator<Item = (Kind, &str)> {
        self.places
            .iter()
            .filter_map(|(kind, place)| Some((*kind, self.message.pointer(place)?.as_str()?)))
    }

    /// The name of the tool that is called.
    pub(crate) fn tool(&self) -> Option<&str> {
        self.subjects().find(|(kind, _)| *kind == Kind::Tool).map(|(_, name)| name)
    }

    /// Whether it calls a tool, gets a prompt, or reads, completes or watches something.
    pub(crate) fn is_call(&self) -> bool {
        !self.places.is_empty()
    }

    /// Whether the answer lists what rules are about.
    pub(crate) fn is_list(&self) -> bool {
        self.method.ends_with("/list") || self.method == "resources/directory/read"
    }

    /// Whether MCP has no such method, so that rules cannot say what it does.
    pub(crate) fn is_foreign(&self) -> bool {
        !self.method.is_empty()
            && !self.is_call()
            && !self.is_list()
            && !self.method.starts_with("notifications/")
            && !OPEN.contains(&self.method.as_str())
    }

    pub(crate) fn id(&self) -> &Value {
        &self.message["id"]
    }

    /// The length of the arguments, in bytes of JSON.
    pub(crate) fn arguments_length(&self) -> usize {
        self.message.pointer("/params/arguments").map_or(0, |value| value.to_string().len())
    }

    /// Names something else instead.
    pub(super) fn rename(&mut self, old: &str, new: &str) {
        for (_, place) in &self.places {
            if let Some(name) = self.message.pointer_mut(place).filter(|name| *name == old) {
                *name = new.into();
            }
        }
    }
}

fn places(method: &str, message: &Value) -> Vec<(Kind, String)> {
    let one = |kind, place: &str| vec![(kind, place.to_owned())];
    match method {
        "tools/call" => one(Kind::Tool, "/params/name"),
        "prompts/get" => one(Kind::Prompt, "/params/name"),
        "resources/read"
        | "resources/directory/read"
        | "resources/subscribe"
        | "resources/unsubscribe" => one(Kind::Resource, "/params/uri"),
        "completion/complete" => {
            match message.pointer("/params/ref/type").and_then(Value::as_str) {
                Some("ref/prompt") => one(Kind::Prompt, "/params/ref/name"),
                _ => one(Kind::Resource, "/params/ref/uri"),
            }
        }
        "subscriptions/listen" => {
            let uris = message.pointer(SUBSCRIBED).and_then(Value::as_array);
            let count = uris.map_or(0, Vec::len);
            (0..count).map(|n| (Kind::Resource, format!("{SUBSCRIBED}/{n}"))).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(method: &str, params: &Value) -> Asked {
        let message = json!({"id": 1, "method": method, "params": params});
        Asked::read(message.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn each_request_says_which_names_it_is_about() {
        let uris = json!({"notifications": {"resourceSubscriptions": ["a:1", "a:2"]}});
        for (method, params, kind, names) in [
            ("tools/call", json!({"name": "echo"}), Kind::Tool, vec!["echo"]),
            ("prompts/get", json!({"name": "p"}), Kind::Prompt, vec!["p"]),
            ("resources/read", json!({"uri": "a:1"}), Kind::Resource, vec!["a:1"]),
            ("resources/directory/read", json!({"uri": "a:1"}), Kind::Resource, vec!["a:1"]),
            ("resources/unsubscribe", json!({"uri": "a:1"}), Kind::Resource, vec!["a:1"]),
            ("subscriptions/listen", uris, Kind::Resource, vec!["a:1", "a:2"]),
            (
                "completion/complete",
                json!({"ref": {"type": "ref/prompt", "name": "p"}}),
                Kind::Prompt,
                vec!["p"],
            ),
            (
                "completion/complete",
                json!({"ref": {"type": "ref/resource", "uri": "a:{b}"}}),
                Kind::Resource,
                vec!["a:{b}"],
            ),
        ] {
            let mut asked = asked(method, &params);
            let expected: Vec<_> = names.iter().map(|name| (kind, *name)).collect();
            assert_eq!(asked.subjects().collect::<Vec<_>>(), expected, "{method}");
            assert!(asked.is_call() && !asked.is_foreign());
            asked.rename(names[0], "other");
            assert_eq!(asked.subjects().next(), Some((kind, "other")), "{method}");
            assert_eq!(asked.subjects().count(), names.len());
        }
    }

    #[test]
    fn what_mcp_does_not_have_is_foreign() {
        for method in ["ping", "tools/list", "notifications/cancelled", "initialize", "tasks/get"] {
            assert!(!asked(method, &json!({})).is_foreign(), "{method}");
        }
        for method in ["admin/reset", "tools/delete", "tools/call2"] {
            assert!(asked(method, &json!({})).is_foreign(), "{method}");
        }
        let response = Asked::read(br#"{"id":1,"result":{}}"#).unwrap();
        assert!(!response.is_foreign() && !response.is_call());
    }
}
