//! An MCP client that speaks one message at a time, on either wire.

use serde_json::{Value, json};

use crate::client::{Answer, http};

/// A revision of the protocol, as clients of its day speak it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// `initialize`, then calls that name the version in a header.
    V2025,
    /// No handshake: each request says all about itself.
    V2026,
}

/// Calls a tool.
pub async fn call(resource: &str, wire: Wire, token: &str, tool: &str, arguments: Value) -> Answer {
    let params = json!({"name": tool, "arguments": arguments});
    send(resource, wire, token, "tools/call", params).await
}

/// Sends one request. An empty token means no `Authorization` header.
pub async fn send(
    resource: &str,
    wire: Wire,
    token: &str,
    method: &str,
    mut params: Value,
) -> Answer {
    let mut request = http()
        .post(resource)
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json");
    if !token.is_empty() {
        request = request.bearer_auth(token);
    }
    match wire {
        Wire::V2025 => request = request.header("mcp-protocol-version", "2025-11-25"),
        Wire::V2026 => {
            request =
                request.header("mcp-protocol-version", "2026-07-28").header("mcp-method", method);
            if let Some(name) = params["name"].as_str() {
                request = request.header("mcp-name", name);
            }
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
                "io.modelcontextprotocol/clientCapabilities": {},
            });
        }
    }
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    Answer::of(request.json(&message)).await
}

/// The text that a tool answered with.
pub fn text(answer: &Answer) -> &str {
    answer.json["result"]["content"][0]["text"].as_str().unwrap_or_default()
}
