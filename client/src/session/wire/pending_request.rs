//! Reads the answer to a request leniently: with odd ids, odd errors, and lists in which one entry
//! may be broken.

use std::sync::{Arc, Mutex, PoisonError};

use rmcp::model::{
    ClientJsonRpcMessage, ClientRequest, ContentBlock, ErrorCode, ErrorData, JsonObject, Prompt,
    RequestId, Resource, ServerJsonRpcMessage, Tool,
};
use serde_json::{Value, json};

use crate::http::excerpt::excerpt;

/// Warnings about parts of answers that were left out; clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Warnings(Arc<Mutex<Vec<String>>>);

impl Warnings {
    fn add(&self, warning: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(warning);
    }

    /// The warnings since the last call.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A request that waits for its answer.
#[derive(Clone)]
pub(super) struct PendingRequest {
    id: RequestId,
    result: Expected,
    warnings: Warnings,
}

/// What kind of result is expected, where that has members to be read one by one.
#[derive(Clone)]
enum Expected {
    Session,
    List(&'static List, Option<String>),
    Content,
    Other,
}

/// A list in which one broken entry must not lose the others.
struct List {
    /// The member that holds it.
    name: &'static str,
    /// What an entry cannot do without.
    needed: &'static [&'static str],
    /// Whether an entry can be read.
    is_readable: fn(&Value) -> bool,
}

static TOOLS: List = List {
    name: "tools",
    needed: &["name", "description", "inputSchema"],
    is_readable: |entry| serde_json::from_value::<Tool>(entry.clone()).is_ok(),
};
static RESOURCES: List = List {
    name: "resources",
    needed: &["uri", "name"],
    is_readable: |entry| serde_json::from_value::<Resource>(entry.clone()).is_ok(),
};
static PROMPTS: List = List {
    name: "prompts",
    needed: &["name", "description", "arguments"],
    is_readable: |entry| serde_json::from_value::<Prompt>(entry.clone()).is_ok(),
};

impl PendingRequest {
    /// `None` if `message` is not a request.
    pub(super) fn new(message: &ClientJsonRpcMessage, warnings: Warnings) -> Option<Self> {
        let ClientJsonRpcMessage::Request(request) = message else { return None };
        let params = serde_json::to_value(&request.request).unwrap_or_default();
        let cursor = params["params"]["cursor"].as_str().map(str::to_owned);
        let result = match &request.request {
            ClientRequest::InitializeRequest(_) => Expected::Session,
            ClientRequest::ListToolsRequest(_) => Expected::List(&TOOLS, cursor),
            ClientRequest::ListResourcesRequest(_) => Expected::List(&RESOURCES, cursor),
            ClientRequest::ListPromptsRequest(_) => Expected::List(&PROMPTS, cursor),
            ClientRequest::CallToolRequest(_) => Expected::Content,
            _ => Expected::Other,
        };
        Some(Self { id: request.id.clone(), result, warnings })
    }

    /// The message in `body`, which is all that the server answered.
    pub(super) fn read(&self, body: &[u8]) -> Result<ServerJsonRpcMessage, String> {
        let odd = |what: &str| match excerpt(body) {
            words if words.is_empty() => "it answered nothing".to_owned(),
            words => format!("its answer {what}: {words}"),
        };
        let json = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let value = serde_json::from_slice(json).map_err(|_| odd("is not JSON"))?;
        let mut object = single_object(value).ok_or_else(|| odd("is not a JSON-RPC message"))?;
        if object.contains_key("method") {
            return Err(odd("is a message of its own"));
        }
        // Some servers name the wrong request, or none, when they could not read it. An error in
        // the response to a request can only be about that request.
        if let Some(error) = error_in(&object) {
            return Ok(ServerJsonRpcMessage::error(error, Some(self.id.clone())));
        }
        if !object.contains_key("result") {
            return Err(odd("is neither a result nor an error"));
        }
        match object.get("id") {
            None | Some(Value::Null) => {
                object.insert("id".to_owned(), json!(self.id));
            }
            Some(id) if is_same(id, &self.id) => {}
            Some(id) => return Err(format!("it answered the request {id}, which was not sent")),
        }
        self.mend(&mut object);
        serde_json::from_value(Value::Object(object)).map_err(|_| odd("cannot be understood"))
    }

    /// What to put in place of `data`, one event of the stream that answers the request; `None` to
    /// leave it as it is. The stream may carry other messages too.
    pub(super) fn replacement(&self, data: &str) -> Option<String> {
        let object = single_object(serde_json::from_str(data).ok()?)?;
        let is_another =
            object.get("id").is_some_and(|id| id.is_number() && !is_same(id, &self.id));
        if object.contains_key("method") || is_another {
            return None;
        }
        let message = self.read(data.as_bytes()).unwrap_or_else(|reason| {
            let error = ErrorData::new(ErrorCode::INTERNAL_ERROR, reason, None);
            ServerJsonRpcMessage::error(error, Some(self.id.clone()))
        });
        serde_json::to_string(&message).ok()
    }

    /// Repairs a result of which only a part is broken.
    fn mend(&self, object: &mut JsonObject) {
        object.entry("jsonrpc").or_insert_with(|| json!("2.0"));
        object.retain(|name, value| name != "error" || !value.is_null());
        let Some(Value::Object(result)) = object.get_mut("result") else { return };
        match &self.result {
            Expected::Session => mend_session(result),
            Expected::List(list, cursor) => self.mend_list(list, cursor.as_deref(), result),
            Expected::Content => mend_content(result),
            Expected::Other => {}
        }
    }

    fn mend_list(&self, list: &List, cursor: Option<&str>, result: &mut JsonObject) {
        // A page that names itself as the next would be requested forever.
        let next = result.get("nextCursor").and_then(Value::as_str);
        if next.is_none_or(str::is_empty) || next == cursor {
            result.remove("nextCursor");
        }
        if result.get(list.name).is_none_or(Value::is_null) {
            result.insert(list.name.to_owned(), json!([]));
        }
        let Some(Value::Array(entries)) = result.get_mut(list.name) else { return };
        entries.retain_mut(|entry| {
            let is_readable = list.make_readable(entry);
            if !is_readable {
                let shown = excerpt(entry.to_string().as_bytes());
                let kind = list.name;
                self.warnings
                    .add(format!("One of the {kind} cannot be read, so it is left out: {shown}"));
            }
            is_readable
        });
    }
}

impl List {
    /// Whether `entry` can be read, if necessary without its optional members.
    fn make_readable(&self, entry: &mut Value) -> bool {
        let Value::Object(members) = entry else { return false };
        if self.needed.contains(&"inputSchema")
            && members.get("inputSchema").is_none_or(Value::is_null)
        {
            members.insert("inputSchema".to_owned(), json!({"type": "object"}));
        }
        if (self.is_readable)(entry) {
            return true;
        }
        if let Value::Object(members) = entry {
            members.retain(|name, _| self.needed.contains(&name.as_str()));
            members.retain(|name, value| name != "description" || value.is_string());
        }
        (self.is_readable)(entry)
    }
}

/// Fills in what a server leaves out of its answer to `initialize`.
fn mend_session(result: &mut JsonObject) {
    let is_object = |value: Option<&Value>| value.is_some_and(Value::is_object);
    if !is_object(result.get("capabilities")) {
        result.insert("capabilities".to_owned(), json!({}));
    }
    if !is_object(result.get("serverInfo")) {
        result.insert("serverInfo".to_owned(), json!({}));
    }
    if let Some(Value::Object(server)) = result.get_mut("serverInfo") {
        for name in ["name", "version"] {
            if !server.get(name).is_some_and(Value::is_string) {
                server.insert(name.to_owned(), json!(""));
            }
        }
    }
}

/// Shows content of an unknown kind as JSON.
fn mend_content(result: &mut JsonObject) {
    let Some(Value::Array(blocks)) = result.get_mut("content") else { return };
    for block in blocks {
        if serde_json::from_value::<ContentBlock>(block.clone()).is_err() {
            *block = json!({"type": "text", "text": block.to_string()});
        }
    }
}

/// The answer in `value`. A server of revision 2025-03-26 may send it in a batch with messages of
/// its own.
fn single_object(value: Value) -> Option<JsonObject> {
    match value {
        Value::Object(object) => Some(object),
        Value::Array(items) => {
            let objects = items.into_iter().filter_map(|item| match item {
                Value::Object(object) => Some(object),
                _ => None,
            });
            let mut answers = objects.filter(|object| !object.contains_key("method"));
            answers.next().filter(|_| answers.next().is_none())
        }
        _ => None,
    }
}

/// The error in a message, whatever form it has.
pub(super) fn error_in(object: &JsonObject) -> Option<ErrorData> {
    let error = object.get("error").filter(|error| !error.is_null())?;
    let code = error.get("code").and_then(|code| match code {
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    });
    let code = code.and_then(|code| i32::try_from(code).ok());
    let message = error.get("message").unwrap_or(error);
    let message = message.as_str().map_or_else(|| message.to_string(), str::to_owned);
    let code = code.map_or(ErrorCode::INTERNAL_ERROR, ErrorCode);
    Some(ErrorData::new(code, message, error.get("data").cloned()))
}

/// Whether `id` is what was sent: some servers send a number back as text.
fn is_same(id: &Value, sent: &RequestId) -> bool {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text(id) == text(&json!(sent))
}

#[cfg(test)]
mod tests {
    use rmcp::model::NumberOrString;

    use super::*;

    fn request(method: &str) -> PendingRequest {
        let request = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": {"name": "x"}});
        let message = serde_json::from_value(request).expect("a request");
        PendingRequest::new(&message, Warnings::default()).expect("a request")
    }

    fn error(body: Value) -> Option<(i32, String, Option<RequestId>)> {
        match request("ping").read(body.to_string().as_bytes()) {
            Ok(ServerJsonRpcMessage::Error(error)) => {
                Some((error.error.code.0, error.error.message.into_owned(), error.id))
            }
            _ => None,
        }
    }

    #[test]
    fn an_error_answers_the_request_whatever_its_id_and_form_are() {
        let mine = Some(NumberOrString::Number(7));
        let usual = json!({"code": -32600, "message": "No"});
        for id in [json!(null), json!("server-error"), json!(7), json!("7"), json!(-1)] {
            let body = json!({"jsonrpc": "2.0", "id": id, "error": usual});
            assert_eq!(error(body), Some((-32600, "No".to_owned(), mine.clone())), "{id}");
        }
        for (body, code, message) in [
            (json!({"jsonrpc": "2.0", "error": usual}), -32600, "No"),
            (json!({"error": usual, "result": null, "id": 7}), -32600, "No"),
            (json!([{"jsonrpc": "2.0", "id": null, "error": usual}]), -32600, "No"),
            (json!({"error": "Not here"}), -32603, "Not here"),
            (json!({"error": {"code": "-5", "message": 1}}), -5, "1"),
            (json!({"error": {"code": [1]}}), -32603, "{\"code\":[1]}"),
        ] {
            assert_eq!(
                error(body.clone()),
                Some((code, message.to_owned(), mine.clone())),
                "{body}"
            );
        }
    }

    #[test]
    fn a_result_of_another_request_is_never_taken_and_nonsense_is_shown() {
        let refused = |body: &str| request("ping").read(body.as_bytes()).expect_err("refused");
        let foreign = r#"{"jsonrpc":"2.0","id":8,"result":{}}"#;
        assert_eq!(refused(foreign), "it answered the request 8, which was not sent");
        assert_eq!(refused(""), "it answered nothing");
        assert_eq!(refused("<h1>Hi</h1>"), "its answer is not JSON: Hi");
        assert!(refused("{}").contains("neither a result nor an error: {}"));
        assert!(refused(r#"{"jsonrpc":"2.0","method":"x"}"#).contains("a message of its own"));
        for id in [r#""7""#, "7", "null"] {
            let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}},"error":null}}"#);
            assert!(request("ping").read(body.as_bytes()).is_ok(), "{id}");
        }
    }

    #[test]
    fn one_broken_tool_of_many_loses_only_itself() {
        let pending = request("tools/list");
        let tools = json!([
            {"name": "good", "inputSchema": {"type": "object"}},
            {"name": "plain"},
            {"name": "odd", "title": 5, "annotations": [], "inputSchema": {}, "description": 5},
            {"name": "bad", "inputSchema": "object"},
            {"inputSchema": {}},
            "nonsense",
        ]);
        let body = json!({"jsonrpc": "2.0", "id": 7, "result": {"tools": tools, "nextCursor": ""}});
        let read = pending.read(body.to_string().as_bytes()).expect("a result");
        let read = serde_json::to_value(read).expect("JSON");
        let names: Vec<_> = read["result"]["tools"].as_array().expect("tools").iter().collect();
        let names: Vec<_> = names.iter().map(|tool| tool["name"].as_str()).collect();
        assert_eq!(names, [Some("good"), Some("plain"), Some("odd")]);
        assert!(read["result"].get("nextCursor").is_none());
        let warnings = pending.warnings.take();
        assert!(warnings.len() == 3 && warnings[0].contains("\"bad\""), "{warnings:?}");
        assert!(pending.warnings.take().is_empty());
    }

    #[test]
    fn in_a_stream_only_what_answers_the_request_is_touched() {
        let pending = request("ping");
        let note = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#;
        let other = r#"{"jsonrpc":"2.0","id":8,"error":{"code":1,"message":"x"}}"#;
        for data in [note, other, "not JSON", "[]"] {
            assert_eq!(pending.replacement(data), None, "{data}");
        }
        let lost = r#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}"#;
        assert!(pending.replacement(lost).expect("replaced").contains("\"id\":7"));
    }

    #[test]
    fn content_of_an_unknown_kind_is_shown_as_it_is() {
        let content = json!([{"type": "text", "text": "a"}, {"type": "hologram", "x": 1}]);
        let body = json!({"jsonrpc": "2.0", "id": 7, "result": {"content": content}});
        let read = request("tools/call").read(body.to_string().as_bytes()).expect("a result");
        let read = serde_json::to_value(read).expect("JSON");
        assert_eq!(read["result"]["content"][1]["text"], r#"{"type":"hologram","x":1}"#);
    }
}
