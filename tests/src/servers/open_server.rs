//! An MCP server without sign-in, whose answers a test writes word for word.

use std::{collections::HashMap, net::Ipv4Addr, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::post,
};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::servers::document_server::{self, Document};

/// The server, on a free port. It stops when it is dropped.
pub struct OpenServer {
    pub url: String,
    task: JoinHandle<()>,
}

type Answers = Arc<(HashMap<String, Value>, HashMap<String, Document>)>;

impl OpenServer {
    /// Starts it with results by method, or by method and what it is about: `tools/call draw`.
    pub async fn start(answers: &[(&str, Value)]) -> Self {
        Self::start_odd(answers, &[]).await
    }

    /// The same, which answers some methods with a document of any kind. `ID` in its body is
    /// replaced by the id of the request.
    pub async fn start_odd(answers: &[(&str, Value)], documents: &[(&str, Document)]) -> Self {
        let answers = answers.iter().map(|(asked, result)| ((*asked).to_owned(), result.clone()));
        let documents = documents.iter().map(|(asked, odd)| ((*asked).to_owned(), odd.clone()));
        let answers: Answers = Arc::new((answers.collect(), documents.collect()));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let router = Router::new().route("/mcp", post(answer)).with_state(answers);
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("the server serves");
        });
        Self { url: format!("http://127.0.0.1:{port}/mcp"), task }
    }
}

impl Drop for OpenServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(answers): State<Answers>, Json(request): Json<Value>) -> Response {
    let (answers, documents) = &*answers;
    let method = request["method"].as_str().unwrap_or_default();
    match documents.get(method) {
        Some(document) => {
            let body = String::from_utf8_lossy(&document.body);
            let body = body.replace("ID", &request["id"].to_string());
            let compressed = document.headers.iter().any(|(name, _)| *name == "content-encoding");
            let document = document.clone();
            document_server::answer(if compressed { document } else { document.saying(body) }).await
        }
        None => respond(answers, &request),
    }
}

/// What a server with these `answers` says to `request`.
pub(crate) fn respond(answers: &HashMap<String, Value>, request: &Value) -> Response {
    let Some(id) = request.get("id") else { return StatusCode::ACCEPTED.into_response() };
    let method = request["method"].as_str().unwrap_or_default();
    let about = ["name", "uri"].iter().find_map(|key| request["params"][key].as_str());
    let known = about.and_then(|about| answers.get(&format!("{method} {about}")));
    let result = known.or_else(|| answers.get(method)).cloned();
    let result = result.or_else(|| (method == "initialize").then(greeting));
    Json(match result {
        Some(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        None => {
            let error = json!({"code": -32601, "message": "not here"});
            json!({"jsonrpc": "2.0", "id": id, "error": error})
        }
    })
    .into_response()
}

fn greeting() -> Value {
    let skills = json!({"io.modelcontextprotocol/skills": {}});
    json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {"tools": {}, "resources": {}, "prompts": {}, "extensions": skills},
        "serverInfo": {"name": "open", "version": "1"},
    })
}
