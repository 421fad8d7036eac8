//! Other people's servers: an MCP server and its authorization server on one port, whose documents
//! a test changes one at a time to what servers in the field answer.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Json, Router,
    extract::State,
    response::{AppendHeaders, IntoResponse, Response},
    routing::post,
};
use http::{HeaderMap, HeaderName, StatusCode, header::WWW_AUTHENTICATE};
use serde_json::{Value, json};
use url::Url;

use crate::{
    programs::{
        client,
        command_line::{CommandLine, Outcome},
    },
    servers::{
        document_server::{Document, DocumentServer},
        open_server::respond,
    },
};

/// Where the protected resource metadata is.
pub const RESOURCE: &str = "/.well-known/oauth-protected-resource/mcp";
/// Where the authorization server metadata is.
pub const SERVER: &str = "/.well-known/oauth-authorization-server";
/// Where the same is for OpenID Connect.
pub const OPENID: &str = "/.well-known/openid-configuration";

/// The two servers. They stop when this is dropped.
pub struct Zoo {
    /// Everything but the MCP endpoint.
    pub documents: DocumentServer,
    guard: Arc<Mutex<Guard>>,
}

/// How the MCP endpoint treats those who come.
#[derive(Clone, Default)]
struct Guard {
    /// What it says to those without a token, one header line each.
    challenges: Vec<String>,
    /// Whether it refuses every token.
    refuses_tokens: bool,
}

impl Zoo {
    /// Starts servers that do everything as the standards describe it.
    pub async fn start() -> Self {
        let guard = Arc::<Mutex<Guard>>::default();
        let routes = Router::new().route("/mcp", post(guarded)).with_state(guard.clone());
        let documents = DocumentServer::start_with_routes(routes).await;
        let zoo = Self { documents, guard };
        zoo.challenge(&[&format!("Bearer resource_metadata=\"{}\"", zoo.documents.at(RESOURCE))]);
        zoo.put(RESOURCE, &zoo.resource(json!({})));
        zoo.put(SERVER, &zoo.metadata(json!({})));
        let registered = Document::json(&json!({"client_id": "c"}));
        zoo.documents.put("/register", Document { status: 201, ..registered });
        zoo.put("/token", &Self::token(json!({})));
        let device = json!({
            "device_code": "d", "user_code": "ABCD", "verification_uri": zoo.documents.at("/device"),
            "expires_in": 600, "interval": 1,
        });
        zoo.put("/device_authorization", &device);
        zoo
    }

    /// A person who has never signed in here.
    pub fn person(&self) -> CommandLine {
        CommandLine::of(&self.documents.at("/mcp"), &self.documents.url)
    }

    /// What the MCP endpoint says to those without a token from now on, one header line each.
    pub fn challenge(&self, lines: &[&str]) {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        self.guard.lock().unwrap_or_else(PoisonError::into_inner).challenges = lines;
    }

    /// Lets the MCP endpoint refuse every token from now on.
    pub fn refuse_tokens(&self) {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner).refuses_tokens = true;
    }

    /// Puts a JSON document at a path.
    pub fn put(&self, path: &str, document: &Value) {
        self.documents.put(path, Document::json(document));
    }

    /// Protected resource metadata, with `change` on top.
    pub fn resource(&self, change: Value) -> Value {
        let mcp = self.documents.at("/mcp");
        let url = &self.documents.url;
        changed(json!({"resource": mcp, "authorization_servers": [url]}), change)
    }

    /// Authorization server metadata, with `change` on top.
    pub fn metadata(&self, change: Value) -> Value {
        let metadata = json!({
            "issuer": self.documents.url,
            "authorization_endpoint": self.documents.at("/authorize"),
            "token_endpoint": self.documents.at("/token"),
            "registration_endpoint": self.documents.at("/register"),
            "device_authorization_endpoint": self.documents.at("/device_authorization"),
            "code_challenge_methods_supported": ["S256"],
        });
        changed(metadata, change)
    }

    /// A successful answer of the token endpoint, with `change` on top.
    pub fn token(change: Value) -> Value {
        let token = json!({
            "access_token": "at", "token_type": "Bearer", "expires_in": 600, "refresh_token": "rt",
        });
        changed(token, change)
    }

    /// Lets `person` sign in: they allow everything at once.
    pub async fn sign_in(&self, person: &CommandLine) -> Outcome {
        let waiting = person.begin(&["login"]).await;
        let asked = Url::parse(&waiting.url).expect("an address");
        let parameter = |name: &str| {
            let mut pairs = asked.query_pairs().filter(|(known, _)| known == name);
            pairs.next().map(|(_, value)| value.into_owned()).expect("a parameter")
        };
        let mut back = Url::parse(&parameter("redirect_uri")).expect("an address");
        back.query_pairs_mut()
            .append_pair("code", "the-code")
            .append_pair("state", &parameter("state"))
            .append_pair("iss", &self.documents.url);
        client::http().get(back).send().await.expect("the page of the client");
        waiting.finish().await
    }
}

async fn guarded(
    State(guard): State<Arc<Mutex<Guard>>>,
    headers: HeaderMap,
    Json(request): Json<Value>,
) -> Response {
    let guard = guard.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if guard.refuses_tokens || !headers.contains_key("authorization") {
        let lines = guard.challenges.into_iter();
        let lines: Vec<(HeaderName, String)> = lines.map(|line| (WWW_AUTHENTICATE, line)).collect();
        return (StatusCode::UNAUTHORIZED, AppendHeaders(lines)).into_response();
    }
    let tools = json!({"tools": [{"name": "ping", "inputSchema": {"type": "object"}}]});
    let pong = json!({"content": [{"type": "text", "text": "pong"}]});
    let answers = [("tools/list", tools), ("tools/call ping", pong)];
    let answers: HashMap<String, Value> =
        answers.into_iter().map(|(method, answer)| (method.to_owned(), answer)).collect();
    respond(&answers, &request)
}

/// `document` with the members of `change`.
fn changed(mut document: Value, change: Value) -> Value {
    for (name, value) in change.as_object().expect("an object") {
        document[name] = value.clone();
    }
    document
}
