//! The operation that a request asks for, read from its body before anything acts on it.
//!
//! The body alone decides, in every revision of the protocol. The headers `Mcp-Method` and
//! `Mcp-Name` repeat it for proxies that route by them, so they must not contradict it.

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderValue};
use base64::{Engine, prelude::BASE64_STANDARD};
use keys::unique_json::{Object, Value};
use rmcp::model::ErrorCode;
use serde_json::Value as Id;

use crate::{
    message::{Message, has_look_alike},
    refusal::Refusal,
    stream::Purpose,
};

/// An operation, as far as access depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation<'a> {
    /// Handshake, lists, responses, notifications, tasks: a valid token is enough. The server
    /// decides what a list shows, and a task belongs to the caller who started it.
    Open,
    /// `tools/call`.
    Tool(Cow<'a, str>),
    /// `prompts/get`, or completion of a prompt's argument.
    Prompt(Cow<'a, str>),
    /// `resources/read`, a subscription, or completion of a template's variable: each of the URIs.
    Resources(Vec<Cow<'a, str>>),
    /// `subscriptions/listen` for changes of these URIs. Its response does not end by itself.
    Listen(Vec<Cow<'a, str>>),
    /// Anything else. It needs the basic scopes.
    Other,
}

/// Parameters that are strings, and those that are objects, in every method of MCP that has them.
const TEXTS: [&str; 7] =
    ["name", "uri", "taskId", "cursor", "level", "requestState", "protocolVersion"];
const OBJECTS: [&str; 9] = [
    "arguments",
    "_meta",
    "inputResponses",
    "ref",
    "argument",
    "context",
    "notifications",
    "capabilities",
    "clientInfo",
];

/// What a POST asks for, and the id of its response.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) operation: Operation<'a>,
    id: Option<Id>,
    /// The protocol revision that `initialize` asks for.
    pub(crate) revision: Option<Cow<'a, str>>,
    /// What is wrong with the parameters. Only callers who may use the operation are told.
    defect: Option<String>,
    method: Option<Cow<'a, str>>,
    name: Option<Cow<'a, str>>,
}

impl<'a> Asked<'a> {
    /// Parses the body of a POST.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, Refusal> {
        let message = Message::parse(body).ok_or(Refusal::Unreadable)?;
        let Message { method, params, id } = message;
        let mut asked = Self {
            operation: Operation::Open,
            id,
            revision: None,
            defect: None,
            method,
            name: None,
        };
        let Some(method) = asked.method.as_deref() else {
            return Ok(asked);
        };
        let params = match params {
            None | Some(Value::Null) => Object::default(),
            Some(Value::Object(params)) => params,
            Some(_) => {
                asked.operation =
                    Operation::parse(method, &Object::default()).unwrap_or(Operation::Other);
                asked.defect = Some("params must be an object".into());
                return Ok(asked);
            }
        };
        let has_look_alike = has_look_alike(&params, &TEXTS) || has_look_alike(&params, &OBJECTS);
        if is_of_mcp(method) && has_look_alike {
            return Err(Refusal::Unreadable);
        }
        let operation = Operation::parse(method, &params);
        asked.defect = wrong_type(method, &params).or_else(|| operation.clone().err());
        asked.operation = operation.unwrap_or(Operation::Other);
        asked.name = object_name(method, &params).cloned();
        if method == "initialize" {
            asked.revision = text(&params, "protocolVersion").cloned();
        }
        Ok(asked)
    }

    /// Whether the response may open a session (MCP before 2026-07-28, session management).
    pub(crate) fn opens_session(&self) -> bool {
        self.method.as_deref() == Some("initialize")
    }

    /// What the response is for, if it is a stream.
    pub(crate) fn purpose(&self) -> Purpose {
        match self.operation {
            Operation::Listen(_) => Purpose::Listening(self.id.clone()),
            _ => Purpose::Answering(self.id.clone()),
        }
    }

    /// Refuses parameters that do not fit the method, and headers that contradict the body.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if let Some(defect) = &self.defect {
            return Err(self.invalid(ErrorCode::INVALID_PARAMS, defect.clone()));
        }
        for (header, in_body) in [("Mcp-Method", &self.method), ("Mcp-Name", &self.name)] {
            // A name has no consequences where the body has no place for one.
            let (Some(in_header), Some(in_body)) = (headers.get(header), in_body) else {
                continue;
            };
            if decode_header(in_header).as_ref() != Some(in_body) {
                let why = format!("the header {header} does not say what the body says");
                return Err(self.invalid(ErrorCode::HEADER_MISMATCH, why));
            }
        }
        Ok(())
    }

    fn invalid(&self, code: ErrorCode, why: String) -> Refusal {
        Refusal::InvalidMessage { code, id: self.id.clone(), why }
    }
}

impl<'a> Operation<'a> {
    /// The operation, or what is wrong with the parameters that decide it.
    fn parse(method: &str, params: &Object<'a>) -> Result<Self, String> {
        match method {
            "tools/call" => required(params, "name").map(Self::Tool),
            "prompts/get" => required(params, "name").map(Self::Prompt),
            "resources/read" | "resources/directory/read" => {
                required(params, "uri").map(|uri| Self::Resources(vec![uri]))
            }
            // The 2026-07-28 revision removed these methods. Only the server behind the guard knows
            // whether it still has them, so it answers for a missing parameter.
            "resources/subscribe" | "resources/unsubscribe" => {
                Ok(required(params, "uri").map_or(Self::Other, |uri| Self::Resources(vec![uri])))
            }
            "logging/setLevel" => Ok(Self::Open),
            "completion/complete" => completion(params),
            "subscriptions/listen" => subscribed_uris(params).map(Self::Listen),
            "tasks/get" | "tasks/update" | "tasks/cancel" => {
                required(params, "taskId").map(|_| Self::Open)
            }
            "initialize" | "server/discover" | "ping" => Ok(Self::Open),
            _ if method.starts_with("notifications/") || method.ends_with("/list") => {
                Ok(Self::Open)
            }
            _ => Ok(Self::Other),
        }
    }
}

/// The prompt or resource that a completion is for. `type` decides. A reference that also has the
/// member of the other type is refused: it could be checked as one and served as the other.
fn completion<'a>(params: &Object<'a>) -> Result<Operation<'a>, String> {
    let reference = params.get("ref").and_then(Value::as_object);
    let reference = reference.ok_or("params.ref must be an object")?;
    if has_look_alike(reference, &["type", "name", "uri"]) {
        return Err("params.ref has a member that differs from another in case only".into());
    }
    let argument = params.get("argument").and_then(Value::as_object);
    let argument = argument.ok_or("params.argument must be an object")?;
    if text(argument, "name").is_none() || text(argument, "value").is_none() {
        return Err("params.argument needs the strings name and value".into());
    }
    let name = reference.get("name").filter(|name| **name != Value::Null);
    let uri = reference.get("uri").filter(|uri| **uri != Value::Null);
    match (text(reference, "type").map(Cow::as_ref), name, uri) {
        (Some("ref/prompt"), Some(Value::String(name)), None) => {
            Ok(Operation::Prompt(name.clone()))
        }
        (Some("ref/resource"), None, Some(Value::String(uri))) => {
            Ok(Operation::Resources(vec![uri.clone()]))
        }
        _ => Err("params.ref must be ref/prompt with a name or ref/resource with a uri".into()),
    }
}

/// The URIs of a subscription.
fn subscribed_uris<'a>(params: &Object<'a>) -> Result<Vec<Cow<'a, str>>, String> {
    let Some(wanted) = params.get("notifications").and_then(Value::as_object) else {
        return Ok(Vec::new());
    };
    let name = "resourceSubscriptions";
    let wrong = || format!("params.notifications.{name} must be an array of strings");
    if has_look_alike(wanted, &[name]) {
        return Err(wrong());
    }
    let uris = match wanted.get(name) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(uris)) => uris,
        Some(_) => return Err(wrong()),
    };
    uris.iter().map(|uri| uri.as_text().cloned().ok_or_else(wrong)).collect()
}

/// Describes a parameter that does not have the type that MCP gives it.
fn wrong_type(method: &str, params: &Object<'_>) -> Option<String> {
    if !is_of_mcp(method) {
        return None;
    }
    let is_set = |name: &str| params.get(name).filter(|value| **value != Value::Null);
    let text =
        TEXTS.into_iter().find(|name| is_set(name).is_some_and(|value| value.as_text().is_none()));
    let object = OBJECTS
        .into_iter()
        .find(|name| is_set(name).is_some_and(|value| value.as_object().is_none()));
    text.map(needs_string).or_else(|| object.map(|name| format!("params.{name} must be an object")))
}

/// Whether MCP defines the parameters of a method and the method gets a response.
fn is_of_mcp(method: &str) -> bool {
    const AREAS: [&str; 7] =
        ["tools/", "prompts/", "resources/", "completion/", "subscriptions/", "tasks/", "logging/"];
    ["initialize", "server/discover", "ping"].contains(&method)
        || AREAS.iter().any(|area| method.starts_with(area))
}

/// The member of the body that `Mcp-Name` repeats (MCP 2026-07-28, Streamable HTTP, standard headers).
fn object_name<'o, 'a>(method: &str, params: &'o Object<'a>) -> Option<&'o Cow<'a, str>> {
    match method {
        "tools/call" | "prompts/get" => text(params, "name"),
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => text(params, "uri"),
        "tasks/get" | "tasks/update" | "tasks/cancel" => text(params, "taskId"),
        _ => None,
    }
}

fn text<'o, 'a>(params: &'o Object<'a>, name: &str) -> Option<&'o Cow<'a, str>> {
    params.get(name).and_then(Value::as_text)
}

fn required<'a>(params: &Object<'a>, name: &str) -> Result<Cow<'a, str>, String> {
    text(params, name).cloned().ok_or_else(|| needs_string(name))
}

fn needs_string(name: &str) -> String {
    format!("params.{name} must be a string")
}

/// The text of a header value, which may be encoded as `=?base64?…?=`. `None` if it is not text.
fn decode_header(value: &HeaderValue) -> Option<Cow<'_, str>> {
    let value = value.to_str().ok()?;
    let encoded = value.strip_prefix("=?base64?").and_then(|value| value.strip_suffix("?="));
    match encoded {
        Some(encoded) => {
            String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok().map(Cow::Owned)
        }
        None => Some(Cow::Borrowed(value)),
    }
}

#[cfg(test)]
mod tests;
