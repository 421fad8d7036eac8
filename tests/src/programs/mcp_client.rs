//! An MCP client that speaks one message at a time, on either wire.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::programs::client::{Answer, http};

/// A revision of the protocol, as clients of its day speak it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// `initialize`, then calls that name the version in a header.
    V2025,
    /// No handshake: each request says all about itself.
    V2026,
}

pub async fn call(resource: &str, wire: Wire, token: &str, tool: &str, arguments: Value) -> Answer {
    let params = json!({"name": tool, "arguments": arguments});
    send(resource, wire, token, "tools/call", params).await
}

/// Sends one request. An empty token means no `Authorization` header. On the wire of 2025 it opens
/// a session first, unless it is the request to open one.
pub async fn send(
    resource: &str,
    wire: Wire,
    token: &str,
    method: &str,
    mut params: Value,
) -> Answer {
    if wire == Wire::V2025 {
        if method == "initialize" {
            return Answer::of(post(resource, token).json(&message(method, params))).await;
        }
        return match Session::open(resource, token).await {
            Ok(session) => session.send(token, method, params).await,
            Err(refusal) => refusal,
        };
    }
    let mut request = post(resource, token)
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", method);
    let named = ["name", "uri", "taskId"].into_iter().find_map(|member| params[member].as_str());
    if let Some(name) = named {
        request = request.header("mcp-name", name);
    }
    let said = params["_meta"].as_object().cloned().unwrap_or_default();
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    said.into_iter().for_each(|(name, value)| params["_meta"][name.as_str()] = value);
    Answer::of(request.json(&message(method, params))).await
}

/// A session of the wire of 2025.
pub struct Session {
    pub id: String,
    resource: String,
}

impl Session {
    /// Opens one, or gives the answer that refused it.
    pub async fn open(resource: &str, token: &str) -> Result<Self, Answer> {
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {"elicitation": {}},
            "clientInfo": {"name": "test", "version": "1"}});
        let answer = Answer::of(post(resource, token).json(&message("initialize", params))).await;
        if answer.status != 200 {
            return Err(answer);
        }
        let id = answer.headers["mcp-session-id"].to_str().expect("an id").to_owned();
        let session = Self { id, resource: resource.into() };
        let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        Answer::of(session.request(Method::POST, token).json(&initialized)).await;
        Ok(session)
    }

    /// Sends one request in the session, with this token.
    pub async fn send(&self, token: &str, method: &str, params: Value) -> Answer {
        Answer::of(self.request(Method::POST, token).json(&message(method, params))).await
    }

    /// A request in it, without body.
    pub fn request(&self, method: Method, token: &str) -> RequestBuilder {
        let request = http().request(method, &self.resource);
        with_headers(request, token)
            .header("mcp-protocol-version", "2025-11-25")
            .header("mcp-session-id", &self.id)
    }
}

/// A request as JSON-RPC.
pub fn message(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

/// A POST with the headers that every wire wants.
pub fn post(resource: &str, token: &str) -> RequestBuilder {
    with_headers(http().post(resource), token)
}

fn with_headers(request: RequestBuilder, token: &str) -> RequestBuilder {
    let request = request
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json");
    if token.is_empty() { request } else { request.bearer_auth(token) }
}

/// The next message of a stream of events; `null` when it has ended.
pub async fn next_message(stream: &mut reqwest::Response, buffer: &mut String) -> Value {
    loop {
        while let Some((line, rest)) = buffer.split_once('\n') {
            let message = line.strip_prefix("data:").map(str::trim).unwrap_or_default();
            let message = serde_json::from_str(message).unwrap_or_default();
            *buffer = rest.to_owned();
            if message != Value::Null {
                return message;
            }
        }
        match stream.chunk().await.expect("a chunk") {
            Some(chunk) => buffer.push_str(&String::from_utf8_lossy(&chunk)),
            None => return Value::Null,
        }
    }
}

/// Asks who is calling, by an HTTP client that is kept: for many calls.
pub async fn whoami(http: &reqwest::Client, url: &str, token: &str) -> Answer {
    let params = json!({"name": "whoami", "arguments": {}, "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }});
    let request = with_headers(http.post(url), token)
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", "whoami");
    Answer::of(request.json(&message("tools/call", params))).await
}

/// The text that a tool answered with.
pub fn text(answer: &Answer) -> &str {
    answer.json["result"]["content"][0]["text"].as_str().unwrap_or_default()
}
