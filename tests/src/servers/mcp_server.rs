//! An MCP server that knows nothing of tokens and does what the test says: for what a gate in front of it
//! lets through.

use std::{
    convert::Infallible,
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use futures::stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The server. It stops with its runtime.
pub struct McpServer {
    url: String,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    seen: Mutex<Vec<Value>>,
    tools: Mutex<Vec<Value>>,
}

impl McpServer {
    /// Starts a server with these tools, two prompts, two resources and a template.
    pub async fn start(tools: &[Value]) -> Self {
        let inner = Arc::new(Inner { tools: Mutex::new(tools.to_vec()), ..Inner::default() });
        let router = Router::new()
            .route("/json", post(answer_json).get(stream_of_lists))
            .route("/events", post(answer_events))
            .route("/hanging", post(hang))
            .with_state(inner.clone());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { url, inner }
    }

    /// The endpoint that answers `json`, `events`, or begins to and never ends (`hanging`).
    pub fn at(&self, kind: &str) -> String {
        format!("{}/{kind}", self.url)
    }

    /// Replaces the tools.
    pub fn put_tools(&self, tools: &[Value]) {
        *self.inner.tools.lock().unwrap_or_else(PoisonError::into_inner) = tools.to_vec();
    }

    /// The messages that have reached the server since the last look.
    pub fn seen(&self) -> Vec<Value> {
        std::mem::take(&mut self.inner.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A tool of this name.
pub fn tool(name: &str, is_read_only: bool) -> Value {
    json!({"name": name, "description": format!("Does {name}"), "inputSchema": {"type": "object"},
        "annotations": {"readOnlyHint": is_read_only}})
}

impl Inner {
    fn answer(&self, headers: &HeaderMap, body: &str) -> Option<Value> {
        let message: Value = serde_json::from_str(body).expect("a message");
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(message.clone());
        if let Some(name) = headers.get("mcp-name") {
            let place = ["/params/name", "/params/uri"].map(|place| message.pointer(place));
            let name = Value::from(name.to_str().expect("text"));
            assert!(place.into_iter().flatten().any(|value| *value == name), "header mismatch");
        }
        let id = message.get("id")?;
        let method = message["method"].as_str().unwrap_or_default();
        assert!(headers.get("mcp-method").is_none_or(|header| header == method));
        let mut answer = self.result(method, &message["params"]);
        answer["jsonrpc"] = json!("2.0");
        answer["id"] = id.clone();
        Some(answer)
    }

    fn result(&self, method: &str, params: &Value) -> Value {
        let tools = self.tools.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let name = params["name"].as_str().or(params["uri"].as_str()).unwrap_or_default();
        let unknown = |what: &str| json!({"error": {"code": -32602, "message": format!("Unknown {what}: {name}")}});
        let result = match method {
            // One tool on each page.
            "tools/list" => {
                let at: usize =
                    params["cursor"].as_str().map_or(0, |at| at.parse().expect("a cursor"));
                let next = (at + 1 < tools.len()).then(|| (at + 1).to_string());
                json!({"tools": tools.get(at..=at).unwrap_or_default(), "nextCursor": next,
                    "ttlMs": 1000, "cacheScope": "public"})
            }
            "tools/call" if tools.iter().any(|tool| tool["name"] == name) => {
                let is_error = params["arguments"]["fail"] == true;
                json!({"content": [{"type": "text", "text": format!("did {name}")}], "isError": is_error})
            }
            "tools/call" => return unknown("tool"),
            "prompts/list" => json!({"prompts": [{"name": "greet"}, {"name": "secret"}]}),
            "prompts/get" if ["greet", "secret"].contains(&name) => json!({"messages": []}),
            "prompts/get" => return unknown("prompt"),
            "resources/list" | "resources/directory/read" => {
                json!({"resources": [{"uri": "file:///public/a", "name": "a"},
                    {"uri": "file:///secret/b", "name": "b"}]})
            }
            "resources/templates/list" => {
                json!({"resourceTemplates": [{"uriTemplate": "file:///{+path}", "name": "any"},
                    {"uriTemplate": "file:///secret/{name}", "name": "secret"}]})
            }
            "resources/read" if name.matches('/').count() == 4 => {
                json!({"contents": [{"uri": name, "text": name}]})
            }
            "resources/read" => return unknown("resource"),
            "completion/complete" => {
                json!({"completion": {"values": ["public/a", "secret/b"], "total": 2}})
            }
            _ => json!({"method": method}),
        };
        json!({"result": result})
    }
}

async fn answer_json(
    State(inner): State<Arc<Inner>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    match inner.answer(&headers, &body) {
        Some(answer) => axum::Json(answer).into_response(),
        None => StatusCode::ACCEPTED.into_response(),
    }
}

async fn answer_events(
    State(inner): State<Arc<Inner>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let Some(answer) = inner.answer(&headers, &body) else {
        return StatusCode::ACCEPTED.into_response();
    };
    let progress = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {}});
    events([progress, answer])
}

/// The stream of a client that has missed the answers to its lists.
async fn stream_of_lists(State(inner): State<Arc<Inner>>) -> Response {
    let methods = ["tools/list", "prompts/list", "resources/list", "resources/templates/list"];
    events(methods.map(|method| inner.result(method, &json!({"cursor": "1"}))))
}

async fn hang(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: String) -> Response {
    inner.answer(&headers, &body);
    let body = Body::from_stream(stream::pending::<Result<String, Infallible>>());
    ([("content-type", "text/event-stream")], body).into_response()
}

fn events<const N: usize>(messages: [Value; N]) -> Response {
    let events = messages.map(|message| format!("event: message\ndata: {message}\n\n")).concat();
    ([("content-type", "text/event-stream")], events).into_response()
}
