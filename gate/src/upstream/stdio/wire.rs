//! The two ways in which clients of different revisions speak HTTP, and what the gate translates
//! between them.
//!
//! Revisions before 2026-07-28 open a session with `initialize`. Since 2026-07-28 each request says
//! all about itself.

use axum::http::{HeaderMap, StatusCode};
use rmcp::model::ErrorCode;
use serde_json::{Value, json};

use super::message::{Message, Params, Raw, canonical, raw};

/// The revision without sessions.
pub(super) const MODERN: &str = "2026-07-28";
/// The last revision with sessions.
pub(super) const LEGACY: &str = "2025-11-25";
/// All revisions with sessions.
const WITH_SESSIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", LEGACY];
pub(super) const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
pub(super) const META_CLIENT: &str = "io.modelcontextprotocol/clientInfo";
pub(super) const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const META_LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
const META_SERVER: &str = "io.modelcontextprotocol/serverInfo";
/// Methods that 2026-07-28 has removed.
const REMOVED: [&str; 5] =
    ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"];
/// Methods whose results say for how long they are fresh (MCP 2026-07-28, caching).
const CACHEABLE: [&str; 6] = [
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "server/discover",
];
/// The code of a resource that does not exist, in older revisions.
const RESOURCE_NOT_FOUND: i64 = -32_002;

/// How a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    /// In a session.
    Sessions,
    /// Without one (2026-07-28).
    Stateless,
}

/// What is wrong with a message, as its error says.
#[derive(Debug)]
pub(super) struct WireError {
    pub(super) code: ErrorCode,
    pub(super) message: String,
    pub(super) data: Option<Value>,
}

impl Wire {
    /// The wire of a message, if its headers and `_meta` are as the wire wants them (MCP 2026-07-28,
    /// Streamable HTTP, standard headers).
    pub(super) fn of(
        message: &Message,
        params: &Params,
        headers: &HeaderMap,
    ) -> Result<Self, WireError> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let in_header = header("mcp-protocol-version");
        let in_body = params.meta.get(META_VERSION);
        let is_modern = in_body.is_some() || in_header.is_some_and(|version| version >= MODERN);
        if message.method() == "initialize" || !is_modern {
            return match in_header {
                Some(version) if !WITH_SESSIONS.contains(&version) => Err(unsupported(version)),
                _ => Ok(Self::Sessions),
            };
        }
        if !message.is_request() {
            return Ok(Self::Stateless);
        }
        let Some(version) = in_body.and_then(Value::as_str) else {
            return Err(WireError::invalid(&format!("_meta must have {META_VERSION}")));
        };
        if in_header != Some(version) {
            return Err(WireError::mismatch("MCP-Protocol-Version"));
        }
        if version != MODERN {
            return Err(unsupported(version));
        }
        if !params.meta.get(META_CAPABILITIES).is_some_and(Value::is_object) {
            return Err(WireError::invalid(&format!("_meta must have {META_CAPABILITIES}")));
        }
        // The guard has compared those that are there.
        if header("mcp-method").is_none() {
            return Err(WireError::mismatch("Mcp-Method"));
        }
        let has_name = ["tools/call", "prompts/get", "resources/read"].contains(&message.method());
        if has_name && header("mcp-name").is_none() {
            return Err(WireError::mismatch("Mcp-Name"));
        }
        Ok(Self::Stateless)
    }

    /// The status of a response that is not a stream.
    pub(super) fn status(self, response: &Message) -> StatusCode {
        let code = response.error.as_ref().and_then(|error| canonical(error)["code"].as_i64());
        let is = |known: ErrorCode| code == Some(known.0.into());
        if self == Self::Sessions {
            StatusCode::OK
        } else if is(ErrorCode::METHOD_NOT_FOUND) {
            StatusCode::NOT_FOUND
        } else if is(ErrorCode::HEADER_MISMATCH)
            || is(ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY)
            || is(ErrorCode::UNSUPPORTED_PROTOCOL_VERSION)
        {
            StatusCode::BAD_REQUEST
        } else {
            StatusCode::OK
        }
    }
}

impl WireError {
    fn invalid(message: &str) -> Self {
        Self { code: ErrorCode::INVALID_PARAMS, message: message.into(), data: None }
    }

    fn mismatch(header: &str) -> Self {
        let message = format!("the header {header} does not say what the body says");
        Self { code: ErrorCode::HEADER_MISMATCH, message, data: None }
    }

    /// The error as the response to `id`.
    pub(super) fn response(self, id: Option<Raw>) -> Message {
        Message::error(id, self.code.0, &self.message, self.data)
    }
}

fn unsupported(version: &str) -> WireError {
    let supported: Vec<&str> =
        [MODERN].into_iter().chain(WITH_SESSIONS.into_iter().rev()).collect();
    unsupported_by(&supported, version)
}

/// The error for a revision that is not among `supported`.
pub(super) fn unsupported_by(supported: &[&str], requested: &str) -> WireError {
    WireError {
        code: ErrorCode::UNSUPPORTED_PROTOCOL_VERSION,
        message: "the server does not speak this revision of the protocol".into(),
        data: Some(json!({"supported": supported, "requested": requested})),
    }
}

/// Turns a request of 2026-07-28 into one of an older revision. Returns the answer instead, if the gate
/// has to give it. `about` is what the server answered to `initialize`.
pub(super) fn to_legacy(message: &Message, params: &mut Params, about: &Value) -> Option<Message> {
    let method = message.method();
    if method == "server/discover" {
        return Some(Message::result(message.id.clone(), &discovered(about)));
    }
    if REMOVED.contains(&method) || method == "subscriptions/listen" {
        let why = format!("the server behind the gate has no {method} for this revision");
        return Some(Message::error(message.id.clone(), ErrorCode::METHOD_NOT_FOUND.0, &why, None));
    }
    for name in [META_VERSION, META_CLIENT, META_CAPABILITIES, META_LOG_LEVEL] {
        params.meta.remove(name);
    }
    None
}

/// Turns the response to a request with this method into one of 2026-07-28.
pub(super) fn to_modern(response: &mut Message, method: &str) {
    if let Some(mut result) = response.result.as_ref().and_then(|it| Params::parse(Some(it))) {
        if result.get("resultType").is_none() {
            result.set("resultType", &"complete");
        }
        if CACHEABLE.contains(&method) && result.get("ttlMs").is_none() {
            result.set("ttlMs", &0);
            result.set("cacheScope", &"private");
        }
        response.result = Some(result.into_raw());
    }
    if let Some(error) = &response.error {
        let mut error = canonical(error);
        if error["code"] == RESOURCE_NOT_FOUND {
            error["code"] = ErrorCode::INVALID_PARAMS.0.into();
            response.error = Some(raw(&error));
        }
    }
}

/// What an older server would answer to `server/discover`, as far as callers can use it.
fn discovered(about: &Value) -> Value {
    let mut result = json!({
        "resultType": "complete",
        "supportedVersions": [MODERN],
        "capabilities": shareable(about, true),
        "ttlMs": 0,
        "cacheScope": "private",
    });
    if let Some(instructions) = about.get("instructions") {
        result["instructions"] = instructions.clone();
    }
    if let Some(server) = about.get("serverInfo") {
        result["_meta"] = json!({META_SERVER: server});
    }
    result
}

/// What the gate answers to `initialize` of a client that shares a server.
pub(super) fn initialized(about: &Value, requested: &str) -> Value {
    let mut result = about.clone();
    result["capabilities"] = shareable(about, false);
    let spoken = about["protocolVersion"].as_str().unwrap_or(LEGACY);
    // Revisions are dates. What a newer one adds to messages, an older client ignores.
    if WITH_SESSIONS.contains(&requested) && requested < spoken {
        result["protocolVersion"] = requested.into();
    }
    result
}

/// The capabilities of a server that callers can use although they share it: a log level would be that
/// of all of them, and a task belong to all. Without sessions, changes cannot be announced either.
fn shareable(about: &Value, is_stateless: bool) -> Value {
    let mut capabilities = about["capabilities"].clone();
    let Some(members) = capabilities.as_object_mut() else {
        return json!({});
    };
    members.remove("logging");
    members.remove("tasks");
    if is_stateless {
        for features in members.values_mut().filter_map(Value::as_object_mut) {
            features.remove("listChanged");
            features.remove("subscribe");
        }
    }
    capabilities
}
