//! What a request asks for, read from its body before anything acts on it.
//!
//! The body alone decides, on every wire. The headers `Mcp-Method` and `Mcp-Name` say the same
//! again for whoever routes by them, so where they are sent they must not say anything else.

use axum::http::{HeaderMap, HeaderValue};
use base64::{Engine, prelude::BASE64_STANDARD};
use rmcp::model::ErrorCode;
use serde_json::{Map, Value};

use crate::{
    message::{Message, has_look_alike},
    refusal::Refusal,
    stream::Purpose,
};

/// One operation, as far as access depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
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

/// Parameters that are texts, and those that are objects, wherever MCP has one of the name.
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

/// What a POST asks for, and the id that its answer will carry.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) operation: Operation,
    id: Option<Value>,
    /// The revision of the protocol that `initialize` asks for.
    pub(crate) revision: Option<String>,
    /// What is wrong with the parameters. It is only told to whoever may use the operation.
    defect: Option<String>,
    method: Option<String>,
    name: Option<String>,
}

impl Asked {
    /// Reads the body of a POST.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let message = Message::read(body).ok_or(Refusal::Unreadable)?;
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
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(params)) => params,
            Some(_) => {
                asked.operation = Operation::of(method, &Map::new()).unwrap_or(Operation::Other);
                asked.defect = Some("params must be an object".into());
                return Ok(asked);
            }
        };
        let has_look_alike = has_look_alike(&params, &TEXTS) || has_look_alike(&params, &OBJECTS);
        if is_of_mcp(method) && has_look_alike {
            return Err(Refusal::Unreadable);
        }
        let operation = Operation::of(method, &params);
        asked.defect = wrong_type(method, &params).or_else(|| operation.clone().err());
        asked.operation = operation.unwrap_or(Operation::Other);
        asked.name = object_name(method, &params).map(str::to_owned);
        if method == "initialize" {
            asked.revision = text(&params, "protocolVersion").map(str::to_owned);
        }
        Ok(asked)
    }

    /// What the stream is for, if the answer is one.
    pub(crate) fn purpose(&self) -> Purpose {
        match self.operation {
            Operation::Listen(_) => Purpose::Listening(self.id.clone()),
            _ => Purpose::Answering(self.id.clone()),
        }
    }

    /// Refuses parameters that are not what the method takes, and headers that say something else
    /// than the body.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let invalid = |code: ErrorCode, why: String| Refusal::InvalidMessage {
            code: code.0,
            id: self.id.clone(),
            why,
        };
        if let Some(defect) = &self.defect {
            return Err(invalid(ErrorCode::INVALID_PARAMS, defect.clone()));
        }
        let said = [("Mcp-Method", &self.method), ("Mcp-Name", &self.name)];
        let differs = said.into_iter().find(|(header, in_body)| {
            let in_header = headers.get(*header).map(decoded);
            // A name that the body has no place for is of no consequence.
            in_body.is_some() && in_header.is_some_and(|in_header| in_header != **in_body)
        });
        match differs {
            Some((header, _)) => Err(invalid(
                ErrorCode::HEADER_MISMATCH,
                format!("the header {header} does not say what the body says"),
            )),
            None => Ok(()),
        }
    }
}

impl Operation {
    /// The operation, or what is wrong with the parameters that decide it.
    fn of(method: &str, params: &Map<String, Value>) -> Result<Self, String> {
        let needed = |name| text(params, name).map(str::to_owned).ok_or_else(|| needs_text(name));
        match method {
            "tools/call" => needed("name").map(Self::Tool),
            "prompts/get" => needed("name").map(Self::Prompt),
            "resources/read" | "resources/directory/read" => {
                needed("uri").map(|uri| Self::Resources(vec![uri]))
            }
            // The 2026-07-28 revision removed these methods. Only the server behind the guard knows
            // whether it still has them, so it answers for a missing parameter.
            "resources/subscribe" | "resources/unsubscribe" => {
                Ok(needed("uri").map_or(Self::Other, |uri| Self::Resources(vec![uri])))
            }
            "logging/setLevel" => Ok(Self::Open),
            "completion/complete" => completion(params),
            "subscriptions/listen" => listened(params).map(Self::Listen),
            "tasks/get" | "tasks/update" | "tasks/cancel" => needed("taskId").map(|_| Self::Open),
            "initialize" | "server/discover" | "ping" => Ok(Self::Open),
            _ if method.starts_with("notifications/") || method.ends_with("/list") => {
                Ok(Self::Open)
            }
            _ => Ok(Self::Other),
        }
    }
}

/// What a completion is for. `type` decides; a reference with the other kind's name as well could
/// be judged as the one and served as the other.
fn completion(params: &Map<String, Value>) -> Result<Operation, String> {
    let reference = params.get("ref").and_then(Value::as_object);
    let reference = reference.ok_or("params.ref must be an object")?;
    if has_look_alike(reference, &["type", "name", "uri"]) {
        return Err("params.ref has a member that differs from another in case only".into());
    }
    let argument = params.get("argument").and_then(Value::as_object);
    let argument = argument.ok_or("params.argument must be an object")?;
    if text(argument, "name").is_none() || text(argument, "value").is_none() {
        return Err("params.argument needs the texts name and value".into());
    }
    let has = |name: &str| reference.get(name).is_some_and(|value| !value.is_null());
    let (name, uri) = (text(reference, "name"), text(reference, "uri"));
    match (text(reference, "type"), name, uri) {
        (Some("ref/prompt"), Some(name), None) if !has("uri") => {
            Ok(Operation::Prompt(name.to_owned()))
        }
        (Some("ref/resource"), None, Some(uri)) if !has("name") => {
            Ok(Operation::Resources(vec![uri.to_owned()]))
        }
        _ => Err("params.ref must be ref/prompt with a name or ref/resource with a uri".into()),
    }
}

/// The URIs of a subscription.
fn listened(params: &Map<String, Value>) -> Result<Vec<String>, String> {
    let Some(wanted) = params.get("notifications").and_then(Value::as_object) else {
        return Ok(Vec::new());
    };
    let name = "resourceSubscriptions";
    let wrong = || format!("params.notifications.{name} must be an array of texts");
    if has_look_alike(wanted, &[name]) {
        return Err(wrong());
    }
    let uris = match wanted.get(name) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(uris) => uris.as_array().ok_or_else(wrong)?,
    };
    uris.iter().map(|uri| uri.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
}

/// A parameter that is not of the type that MCP gives it.
fn wrong_type(method: &str, params: &Map<String, Value>) -> Option<String> {
    if !is_of_mcp(method) {
        return None;
    }
    let is_set = |name: &str| params.get(name).filter(|value| !value.is_null());
    let text = TEXTS.into_iter().find(|name| is_set(name).is_some_and(|value| !value.is_string()));
    let object =
        OBJECTS.into_iter().find(|name| is_set(name).is_some_and(|value| !value.is_object()));
    text.map(needs_text).or_else(|| object.map(|name| format!("params.{name} must be an object")))
}

/// Whether MCP defines the parameters of a method. Those of other methods are their server's own,
/// and notifications are not answered.
fn is_of_mcp(method: &str) -> bool {
    const AREAS: [&str; 7] =
        ["tools/", "prompts/", "resources/", "completion/", "subscriptions/", "tasks/", "logging/"];
    ["initialize", "server/discover", "ping"].contains(&method)
        || AREAS.iter().any(|area| method.starts_with(area))
}

/// What `Mcp-Name` repeats of the body (MCP 2026-07-28, Streamable HTTP, standard headers).
fn object_name<'a>(method: &str, params: &'a Map<String, Value>) -> Option<&'a str> {
    match method {
        "tools/call" | "prompts/get" => text(params, "name"),
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => text(params, "uri"),
        "tasks/get" | "tasks/update" | "tasks/cancel" => text(params, "taskId"),
        _ => None,
    }
}

fn text<'a>(params: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    params.get(name).and_then(Value::as_str)
}

fn needs_text(name: &str) -> String {
    format!("params.{name} must be a string")
}

/// A header value; what is no header text travels as `=?base64?…?=`. `None` for anything else.
fn decoded(value: &HeaderValue) -> Option<String> {
    let value = value.to_str().ok()?;
    let encoded = value.strip_prefix("=?base64?").and_then(|value| value.strip_suffix("?="));
    match encoded {
        Some(encoded) => String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok(),
        None => Some(value.to_owned()),
    }
}

#[cfg(test)]
mod tests;
